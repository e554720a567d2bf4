// SPDX-License-Identifier: MIT
// A plugin with one kind, and state that outlives its jobs: every job runs in the daemon's own persistent context unless it
// asks for another, so what one leaves in a ContextVar the next one finds.
//
//   corunctl run counter.add amount=2     {"found":0,"total":2}
//   corunctl run counter.add amount=40    {"found":2,"total":42}
#include <corund/plugin.hpp>

namespace {

corun::ContextVar<long> total("counter.total", 0);

struct AddArgs {
  long amount = 1;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(AddArgs, amount)

corun::Coro<corund::Json> add(corund::JobContext&, AddArgs args) {
  const long found = total.get();
  total.set(found + args.amount);
  corund::Json result;
  result["found"] = found;
  result["total"] = found + args.amount;
  co_return result;
}

}  // namespace

CORUND_PLUGIN(registry) { registry.add("counter.add", add, {.summary = "Add to the sum that the jobs before left"}); }
