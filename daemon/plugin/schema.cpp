// SPDX-License-Identifier: MIT
#include "daemon/plugin/schema.hpp"

#include <corun/base/errors.hpp>

// The library's warnings are its own. Without exceptions it ends the process where a schema is none.
#define VALIJSON_USE_EXCEPTIONS 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Woverloaded-virtual"
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

#include "daemon/job/outcome.hpp"

namespace corund::plugin {
namespace {

using Adapter = valijson::adapters::NlohmannJsonAdapter;

// The library names each step as "[name]" or "[0]"; which one it is the value itself tells.
std::string path_in(const Json& value, const std::vector<std::string>& context, std::string_view root) {
  std::string path(root);
  const Json* at = &value;
  for (std::size_t i = 1; i < context.size(); ++i) {
    const std::string step = context[i].substr(1, context[i].size() - 2);
    if (at && at->is_array()) {
      path += "[" + step + "]";
      const std::size_t index = std::strtoul(step.c_str(), nullptr, 10);
      at = index < at->size() ? &(*at)[index] : nullptr;
    } else {
      path += "." + step;
      auto member = at && at->is_object() ? at->find(step) : Json::const_iterator();
      at = at && at->is_object() && member != at->end() ? &*member : nullptr;
    }
  }
  return path;
}

// A member that is missing, or one too many, is named within quotes at the end of the library's sentence.
std::string named_member(const std::string& description) {
  if (!description.starts_with("Missing required property") && description.find("could not be validated using") == std::string::npos)
    return {};
  const std::size_t end = description.rfind('\'');
  const std::size_t begin = end == std::string::npos || end == 0 ? std::string::npos : description.rfind('\'', end - 1);
  return begin == std::string::npos ? std::string() : description.substr(begin + 1, end - begin - 1);
}

}  // namespace

struct Schema::Compiled {
  Json document;  // before the schema, which may view it
  valijson::Schema schema;
};

Schema::Schema(std::string_view text) : compiled_(std::make_unique<Compiled>()) {
  try {
    compiled_->document = Json::parse(text);
    if (!compiled_->document.is_object() && !compiled_->document.is_boolean())
      throw corun::ValueError("a schema is an object");
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(Adapter(compiled_->document), compiled_->schema);
  } catch (const corun::ValueError&) {
    throw;
  } catch (const std::exception& error) {
    throw corun::ValueError(error.what());
  }
}

Schema::~Schema() = default;
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;

std::optional<Schema::Fault> Schema::check(const Json& value, std::string_view root) const {
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  valijson::ValidationResults results;
  if (validator.validate(compiled_->schema, Adapter(value), &results)) return std::nullopt;
  valijson::ValidationResults::Error error;
  if (!results.popError(error)) return Fault{std::string(root), "it does not fit"};
  std::string path = path_in(value, error.context, root);
  if (const std::string member = named_member(error.description); !member.empty()) path += "." + member;
  return Fault{std::move(path), error.description};
}

void apply_schemas(job::Kind& kind) {
  auto compile = [&](const std::string& text, const char* which) -> std::shared_ptr<const Schema> {
    if (text.empty()) return nullptr;
    try {
      return std::make_shared<const Schema>(text);
    } catch (const corun::ValueError& error) {
      throw corun::ValueError("the " + std::string(which) + " schema of kind '" + kind.name + "' is none: " + error.what());
    }
  };
  auto args = compile(kind.args_schema, "args");
  auto result = compile(kind.result_schema, "result");
  if (args)
    kind.check = [args, own = std::move(kind.check)](std::string_view text) -> std::optional<std::string> {
      if (auto fault = args->check(Json::parse(text), "args")) return std::move(fault->path);
      return own ? own(text) : std::nullopt;
    };
  if (!result) return;
  kind.body = [result, own = std::move(kind.body)](JobContext& job, std::string_view text) -> corun::Coro<JsonText> {
    // The lambda belongs to the kind, which outlives its jobs; what it captured is safe to use after a suspension.
    JsonText returned = co_await own(job, text);
    const Json value = returned.empty() ? Json::object() : Json::parse(returned.view());
    if (auto fault = result->check(value, "result"))
      throw JobFailure("SchemaError", "the result does not fit its schema: " + fault->path + ": " + fault->reason, returned);
    co_return returned;
  };
}

}  // namespace corund::plugin
