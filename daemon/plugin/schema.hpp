// SPDX-License-Identifier: MIT
// JSON Schema (draft 7) for kinds from plugins: what their schemas say is kept, before a job is accepted and when its result is there. The
// built-in kinds check their args themselves, and tests hold their schemas to that.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/job/json.hpp"
#include "daemon/job/kind.hpp"

namespace corund::plugin {

class Schema {
 public:
  // Errors: corun::ValueError with the place, where the text is no JSON or no schema. References to other documents are refused.
  explicit Schema(std::string_view text);
  ~Schema();
  Schema(Schema&&) noexcept;
  Schema& operator=(Schema&&) noexcept;

  struct Fault {
    std::string path;    // "args.size[0]", with the root's name given by the caller
    std::string reason;
  };
  // The first thing wrong with it; nothing where it fits.
  std::optional<Fault> check(const Json& value, std::string_view root) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

// Has the kind keep its schemas, where it has some. Errors: corun::ValueError, naming the kind and which schema is none.
void apply_schemas(job::Kind& kind);

}  // namespace corund::plugin
