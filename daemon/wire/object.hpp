// SPDX-License-Identifier: MIT
// Room: pulling typed values out of a call's parameters. The reader remembers the first thing wrong as a path ("args.argv[2]", what
// InvalidParameter carries) and reads nothing after it, so the caller asks once, at the end. Which names there are is the caller's knowledge.
//
//   ObjectReader in(request.parameters());
//   while (in.next()) {
//     if (in.key() == "id") in.read(id);
//     else if (in.key() == "timeout") in.read(timeout);       // std::optional: null is absent
//     else in.fail();                                         // unknown
//   }
//   if (id.empty()) in.fail("id");                            // missing
//   if (!in.ok()) reply InvalidParameter{in.wrong()};
#pragma once

#include "daemon/wire/json.hpp"

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corund::wire {

// Walks one object's members, or one array's elements. A name that comes twice is wrong. A member that nobody read is passed over: saying
// fail() to unknown ones is the caller's part. Lifetime: a view of `text`, which must outlive it.
class ObjectReader {
 public:
  // `text` is a valid JSON object (or array: elements have the key "[n]"), or null or empty: nothing in it.
  explicit ObjectReader(std::string_view text) noexcept;
  ObjectReader(const ObjectReader&) = delete;
  ObjectReader& operator=(const ObjectReader&) = delete;

  // Goes to the next member; false at the end, and once something is wrong.
  bool next();

  // The member's name, decoded. Lifetime: until the next next().
  std::string_view key() const noexcept { return key_; }
  JsonType type() const noexcept { return json_type(raw()); }
  bool is_null() const noexcept { return type() == JsonType::null; }
  // The member's value as JSON text. Lifetime: the text's.
  std::string_view raw() const noexcept { return cursor_.value(); }

  // Each takes the current member's value, or declares it wrong, leaves `out` as it was and returns false. Ranges are inclusive.
  bool read(std::string& out);
  bool read(bool& out);
  bool read(std::int64_t& out, std::int64_t min = std::numeric_limits<std::int64_t>::min(),
            std::int64_t max = std::numeric_limits<std::int64_t>::max());
  bool read(double& out, double min = std::numeric_limits<double>::lowest(),
            double max = std::numeric_limits<double>::max());
  bool read(std::vector<std::string>& out);
  bool read(std::map<std::string, std::string>& out);
  // As above; null leaves it empty.
  template <class T, class... Range>
  bool read(std::optional<T>& out, Range... range);

  // The value's text, which must be an object; null gives "{}".
  bool read_object_text(std::string_view& out);
  // A string that must be one of the names; gives its place in the list.
  bool read_choice(std::size_t& out, std::initializer_list<std::string_view> names);

  // Calls body(ObjectReader&) to read the value, an object, resp. each of its elements once, an array. What the inner reader finds
  // wrong is wrong here, under this member's path. null: not called.
  template <class Body>
  bool read_object(Body&& body);
  template <class Body>
  bool read_array(Body&& body);

  // The current member is wrong; resp. a member of that name or path below this object is: a missing one, say. The first stands.
  bool fail();
  bool fail(std::string_view path);

  bool ok() const noexcept { return wrong_.empty(); }
  // The path of the first thing wrong; empty where all is well.
  const std::string& wrong() const noexcept { return wrong_; }

 private:
  template <class Body>
  bool read_nested(JsonType type, Body&& body);
  bool note_duplicate() noexcept;
  bool fail_inside(std::string_view inner);

  static constexpr std::size_t seen_max = 32;  // no method has that many parameters: what is past it is unknown to all of them

  JsonCursor cursor_;
  bool array_;
  std::size_t index_ = 0;      // members seen
  std::string_view key_;
  std::string decoded_key_;    // where the name has escapes, or is an index
  std::string wrong_;
  struct Seen {
    const char* data;
    std::size_t size;
  };
  Seen seen_[seen_max];        // names so far; no initialiser: half a kilobyte to clear, for three of them used
};

template <class T, class... Range>
bool ObjectReader::read(std::optional<T>& out, Range... range) {
  if (is_null()) {
    out.reset();
    return true;
  }
  T value{};
  if (!read(value, range...)) return false;
  out = std::move(value);
  return true;
}

template <class Body>
bool ObjectReader::read_nested(JsonType type, Body&& body) {
  if (is_null()) return true;
  if (json_type(raw()) != type) return fail();
  ObjectReader inner(raw());
  body(inner);
  return inner.ok() || fail_inside(inner.wrong());
}

template <class Body>
bool ObjectReader::read_object(Body&& body) {
  return read_nested(JsonType::object, body);
}

template <class Body>
bool ObjectReader::read_array(Body&& body) {
  return read_nested(JsonType::array, [&](ObjectReader& elements) {
    while (elements.next()) body(elements);
  });
}

}  // namespace corund::wire
