// SPDX-License-Identifier: MIT
#include "config/accounts.hpp"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

namespace corund::config {
namespace {

constexpr std::size_t entry_bytes_max = 16 * 1024 * 1024;  // of a group with very many members; past it something is wrong

// Of digits alone. The highest id there could be means "none" to the kernel.
std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id == UINT32_MAX) return std::nullopt;
  return id;
}

// lookup: getpwnam_r(3) or getgrnam_r(3). id: the member of their entries. False, and why in error, where there is none; 0: nobody has
// that name.
template <class Entry, class Id>
bool find(int (*lookup)(const char*, Entry*, char*, std::size_t, Entry**), Id Entry::*id, const std::string& name, Id& out, int& error) {
  Entry entry{}, *found = nullptr;
  std::vector<char> buffer(1024);
  while ((error = lookup(name.c_str(), &entry, buffer.data(), buffer.size(), &found)) == ERANGE && buffer.size() < entry_bytes_max)
    buffer.resize(2 * buffer.size());
  // getpwnam(3) has the list of what systems say where there is nobody of that name.
  if (!found && (error == ENOENT || error == ESRCH || error == EBADF || error == EPERM)) error = 0;
  if (found) out = entry.*id;
  return found != nullptr;
}

template <class Id>
void insert(std::vector<Id>& ids, Id id) {
  const auto at = std::lower_bound(ids.begin(), ids.end(), id);
  if (at == ids.end() || *at != id) ids.insert(at, id);
}

}  // namespace

corun::Result<void, std::string> add_account(Accounts& to, std::string_view text) {
  if (text == "*") {
    to.everybody = true;
    return {};
  }
  const bool is_group = text.starts_with('@');
  const std::string name(is_group ? text.substr(1) : text);
  if (name.empty() || name.find('\0') != std::string::npos)
    return std::string("must name a user (\"alice\"), a group (\"@ops\"), or everybody (\"*\")");
  if (const auto id = number(name)) {
    is_group ? insert(to.groups, gid_t{*id}) : insert(to.users, uid_t{*id});
    return {};
  }
  int error = 0;
  uid_t user = 0;
  gid_t group = 0;
  const bool is_there = is_group ? find(&::getgrnam_r, &::group::gr_gid, name, group, error) : find(&::getpwnam_r, &::passwd::pw_uid, name, user, error);
  if (!is_there) {
    const std::string who = (is_group ? "the group \"" : "the user \"") + name + "\"";
    return error == 0 ? "there is no " + who.substr(4) : who + " cannot be looked up: " + std::strerror(error);
  }
  is_group ? insert(to.groups, group) : insert(to.users, user);
  return {};
}

}  // namespace corund::config
