// SPDX-License-Identifier: MIT
// A path is put together only when something is wrong: each reader knows its own members' names, and puts them before what the reader inside it
// found. So the common way costs no string.
#include "daemon/wire/object.hpp"

#include <algorithm>
#include <cstring>

namespace corund::wire {

ObjectReader::ObjectReader(std::string_view text) noexcept
    : cursor_(text), array_(json_type(text) == JsonType::array) {}

bool ObjectReader::next() {
  if (!ok() || !cursor_.next()) return false;
  if (array_) {
    decoded_key_ = "[" + std::to_string(index_++) + "]";
    key_ = decoded_key_;
    return true;
  }
  key_ = cursor_.key();
  if (cursor_.key_has_escape()) {
    decoded_key_.clear();
    unescape(cursor_.key(), decoded_key_);
    key_ = decoded_key_;
  }
  return !note_duplicate() || fail();
}

// Compared undecoded: who writes one name in two ways gets the second one's value.
bool ObjectReader::note_duplicate() noexcept {
  std::string_view name = cursor_.key();
  std::size_t known = std::min(index_, seen_max);
  for (std::size_t i = 0; i < known; ++i)
    if (seen_[i].size == name.size() && std::memcmp(seen_[i].data, name.data(), name.size()) == 0) return true;
  if (index_ < seen_max) seen_[index_] = {name.data(), name.size()};
  ++index_;
  return false;
}

bool ObjectReader::read(std::string& out) {
  if (type() != JsonType::string) return fail();
  std::string_view body = raw().substr(1, raw().size() - 2);
  out.clear();
  unescape(body, out);
  return true;
}

bool ObjectReader::read(bool& out) {
  if (type() != JsonType::boolean) return fail();
  out = raw().front() == 't';
  return true;
}

bool ObjectReader::read(std::int64_t& out, std::int64_t min, std::int64_t max) {
  if (type() != JsonType::number) return fail();
  auto value = decode_int(raw());
  if (!value || *value < min || *value > max) return fail();
  out = *value;
  return true;
}

bool ObjectReader::read(double& out, double min, double max) {
  if (type() != JsonType::number) return fail();
  double value = decode_double(raw());
  if (value < min || value > max) return fail();
  out = value;
  return true;
}

bool ObjectReader::read(std::vector<std::string>& out) {
  if (type() != JsonType::array) return fail();
  std::vector<std::string> values;
  bool good = read_array([&](ObjectReader& element) {
    std::string value;
    if (element.read(value)) values.push_back(std::move(value));
  });
  if (good) out = std::move(values);
  return good;
}

bool ObjectReader::read(std::map<std::string, std::string>& out) {
  if (type() != JsonType::object) return fail();
  std::map<std::string, std::string> values;
  bool good = read_object([&](ObjectReader& members) {
    while (members.next()) {
      std::string value;
      if (members.read(value) && !values.try_emplace(std::string(members.key()), std::move(value)).second) members.fail();
    }
  });
  if (good) out = std::move(values);
  return good;
}

bool ObjectReader::read_object_text(std::string_view& out) {
  if (!is_null() && type() != JsonType::object) return fail();
  out = is_null() ? "{}" : raw();
  return true;
}

bool ObjectReader::read_choice(std::size_t& out, std::initializer_list<std::string_view> names) {
  std::string value;
  if (!read(value)) return false;
  const auto* found = std::find(names.begin(), names.end(), value);
  if (found == names.end()) return fail();
  out = static_cast<std::size_t>(found - names.begin());
  return true;
}

bool ObjectReader::fail() {
  if (ok()) wrong_ = key_.empty() ? std::string("\"\"") : std::string(key_);
  return false;
}

bool ObjectReader::fail(std::string_view path) {
  if (ok()) wrong_ = path;
  return false;
}

// "argv" and "[2]" make "argv[2]"; "args" and "argv" make "args.argv".
bool ObjectReader::fail_inside(std::string_view inner) {
  fail();
  if (!inner.starts_with('[')) wrong_ += '.';
  wrong_ += inner;
  return false;
}

}  // namespace corund::wire
