// SPDX-License-Identifier: MIT
// Room: the texts of the .varlink files, as corund's own are installed, for GetInterfaceDescription.
#pragma once

#include <span>
#include <string_view>

namespace corund::wire {

struct InterfaceDescription {
  std::string_view name;  // "io.corund.Jobs"
  std::string_view text;  // the file, byte for byte
};

inline constexpr std::string_view jobs_interface = "io.corund.Jobs";
inline constexpr std::string_view daemon_interface = "io.corund.Daemon";
inline constexpr std::string_view service_interface = "org.varlink.service";
inline constexpr std::string_view systemd_interface = "io.systemd.service";

// All of them, in the order GetInfo names them.
std::span<const InterfaceDescription> interface_descriptions() noexcept;

// The text of one, or an empty view.
std::string_view interface_description(std::string_view name) noexcept;

}  // namespace corund::wire
