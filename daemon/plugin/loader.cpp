// SPDX-License-Identifier: MIT
#include "daemon/plugin/loader.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <corun/base/errors.hpp>
#include <corund/plugin.hpp>
#include <cstring>
#include <exception>
#include <filesystem>
#include <map>

#include "daemon/plugin/schema.hpp"

namespace corund::plugin {
namespace {

constexpr const char* entry_name = "corund_plugin_v1";
constexpr std::string_view entry_prefix = "corund_plugin_v";

std::string dl_error() {
  const char* text = ::dlerror();
  return text ? text : "unknown error";
}

// Why there is no entry of ours: another version of it, or none at all.
std::string missing_entry(void* handle) {
  for (int version = 2; version < 10; ++version) {
    std::string name = std::string(entry_prefix) + std::to_string(version);
    if (::dlsym(handle, name.c_str()))
      return "it was built for plugin entry version " + std::to_string(version) + ", this corund has version " +
             std::to_string(entry_version);
  }
  return std::string("it has no symbol ") + entry_name;
}

// Takes the plugin's kinds; a text where it is refused.
std::string load(const std::string& file, job::Registry& registry) {
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) return dl_error();
  void* symbol = ::dlsym(handle, entry_name);
  if (!symbol) {
    std::string why = missing_entry(handle);
    ::dlclose(handle);
    return why;
  }
  const Entry* entry = nullptr;
  try {
    entry = reinterpret_cast<const Entry* (*)()>(symbol)();
    if (!entry || entry->version != entry_version)
      return "it has plugin entry version " + std::to_string(entry ? entry->version : 0) + ", this corund has version " +
             std::to_string(entry_version);
    if (std::strcmp(entry->abi, abi_tag) != 0)
      return std::string("it was built as [") + entry->abi + "], this corund as [" + abi_tag + "]";
    job::Registry own;
    KindRegistry kinds(own, file, build_id_of(symbol));
    entry->add_kinds(kinds);
    own.change_all(apply_schemas);
    registry.merge(std::move(own));
    return {};
  } catch (...) {
    return corun::detail::describe(std::current_exception());
  }
}

struct BuildIdSearch {
  const void* address;
  std::string id;
};

int look_for_build_id(dl_phdr_info* info, std::size_t, void* data) {
  auto& search = *static_cast<BuildIdSearch*>(data);
  auto address = reinterpret_cast<std::uintptr_t>(search.address);
  auto contains = [&](const ElfW(Phdr) & segment) {
    std::uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
    return segment.p_type == PT_LOAD && address >= begin && address < begin + segment.p_memsz;
  };
  const ElfW(Phdr)* end = info->dlpi_phdr + info->dlpi_phnum;
  if (std::none_of(info->dlpi_phdr, end, contains)) return 0;
  for (const ElfW(Phdr)* segment = info->dlpi_phdr; segment != end; ++segment) {
    if (segment->p_type != PT_NOTE) continue;
    const char* at = reinterpret_cast<const char*>(info->dlpi_addr + segment->p_vaddr);
    const char* last = at + segment->p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= last) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof note);
      const char* name = at + sizeof note;
      const char* body = name + ((note.n_namesz + 3) & ~3u);
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
        constexpr char digits[] = "0123456789abcdef";
        for (std::size_t i = 0; i < note.n_descsz; ++i) {
          auto byte = static_cast<unsigned char>(body[i]);
          search.id += digits[byte >> 4];
          search.id += digits[byte & 15];
        }
        return 1;
      }
      at = body + ((note.n_descsz + 3) & ~3u);
    }
  }
  return 1;
}

}  // namespace

std::vector<std::string> find_plugins(const std::vector<std::string>& directories) {
  std::map<std::string, std::string> by_name;
  for (const auto& directory : directories) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
      std::string name = entry.path().filename().string();
      if (name.starts_with("corund-") && name.ends_with(".so") && name.size() > 10) by_name.emplace(name, entry.path().string());
    }
  }
  std::vector<std::string> files;
  for (auto& [name, file] : by_name) files.push_back(file);
  return files;
}

Loaded load_plugins(const std::vector<std::string>& directories, job::Registry& registry) {
  Loaded result;
  for (auto& file : find_plugins(directories)) {
    std::string why = load(file, registry);
    if (why.empty())
      result.files.push_back(std::move(file));
    else
      result.refused.push_back({std::move(file), std::move(why)});
  }
  return result;
}

std::string build_id_of(const void* address) {
  BuildIdSearch search{address, {}};
  ::dl_iterate_phdr(look_for_build_id, &search);
  return search.id;
}

}  // namespace corund::plugin
