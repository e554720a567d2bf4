// SPDX-License-Identifier: MIT
#include "daemon/store/incoming.hpp"

#include <string>
#include <vector>

#include "store_load.hpp"
#include "support/catch.hpp"

using namespace corund::store;
using namespace tests;

namespace {

// The submissions that the table has, in its order.
std::string seqs(Database& database) {
  Statement all(database, "SELECT seq FROM incoming");
  std::string text;
  while (all.next()) text += (text.empty() ? "" : " ") + std::to_string(all.number(0));
  return text;
}

}  // namespace

TEST_CASE("the submissions among the changes are a table", "[store]") {
  Database database(":memory:", true, {});
  Incoming incoming(database);
  CHECK(seqs(database) == "");
  const std::vector<Change> mixed = {outcome_row(9), job_row(3), ended_attempt_row(3), job_row(5), job_row(4), outcome_row(3)};
  incoming.set(mixed);
  CHECK(seqs(database) == "3 5 4");  // as they came
  CHECK(seqs(database) == "3 5 4");  // and again
  incoming.set(std::span(mixed).first(1));
  CHECK(seqs(database) == "");
  incoming.set(std::span(mixed).subspan(3, 1));
  CHECK(seqs(database) == "5");
  incoming.set({});
  CHECK(seqs(database) == "");
}

TEST_CASE("every column of a submission is there, and what is empty as the table wants it", "[store]") {
  Database database(":memory:", true, {});
  Incoming incoming(database);
  JobRow full = job_row(6);  // with a start and options
  full.context = "of \"mine\"";
  full.group = "g";
  JobRow bare = job_row(7);
  bare.started_us.reset();
  bare.options = {};
  bare.args = {};
  const std::vector<Change> changes = {full, bare};
  incoming.set(changes);
  const auto count = [&](const std::string& where) { return database.number(("SELECT count(*) FROM incoming WHERE " + where).c_str()); };
  CHECK(count("seq = 6 AND id = '01J9ZQXKX5T6W7Y8Z9ABCDEFGH' AND kind = 'echo' AND args = '{\"text\":\"hello\"}'") == 1);
  CHECK(count("seq = 6 AND context = 'of \"mine\"' AND \"group\" = 'g' AND priority = 3 AND owner_uid = 1000") == 1);
  CHECK(count("seq = 6 AND submitted_us = 1700000000000006 AND eligible_us = 1700000000000011 AND started_us = 1700000000000015") == 1);
  CHECK(count("seq = 6 AND options = '{\"timeout\":5}' AND typeof(priority) = 'integer' AND typeof(args) = 'text'") == 1);
  CHECK(count("seq = 7 AND started_us IS NULL AND options IS NULL AND args = ''") == 1);
}

TEST_CASE("the connection has the table as long as it is open", "[store]") {
  Database database(":memory:", true, {});
  {
    Incoming incoming(database);
    incoming.set({});
    CHECK(seqs(database) == "");
  }
  CHECK(seqs(database) == "");
}
