// SPDX-License-Identifier: MIT
// Plugins that a daemon must leave out, one for each definition.
#include <corund/plugin.hpp>

namespace {
[[maybe_unused]] corun::Coro<corund::Json> nothing(corund::JobContext&) { co_return corund::Json::object(); }
}  // namespace

#if defined(WRONG_ENTRY)
extern "C" __attribute__((visibility("default"))) const void* corund_plugin_v2() { return nullptr; }
#elif defined(WRONG_ABI)
extern "C" __attribute__((visibility("default"))) const corund::plugin::Entry* corund_plugin_v1() {
  static const corund::plugin::Entry entry{corund::plugin::entry_version, "another compiler",
                                           [](corund::KindRegistry& registry) { registry.add("refused.abi", nothing); }};
  return &entry;
}
#elif defined(THROWS)
CORUND_PLUGIN(registry) {
  registry.add("refused.throws", nothing);
  throw std::runtime_error("no licence for this plugin");
}
#elif defined(TAKEN_NAME)
CORUND_PLUGIN(registry) {
  registry.add("refused.taken", nothing);
  registry.add("echo", nothing);
}
#elif defined(BAD_SCHEMA)
CORUND_PLUGIN(registry) { registry.add("refused.schema", nothing, {.args_schema = R"({"type":"colour"})"}); }
#elif defined(NO_ENTRY)
extern "C" __attribute__((visibility("default"))) int something_else() { return 0; }
#endif
