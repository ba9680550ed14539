#include "api/http_admin.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/json_fields.h"
#include "api/json_limits.h"
#include "api/json_text.h"
#include "api/json_views.h"
#include "api/limits_file.h"

namespace brigade::api {
namespace {

using nlohmann::ordered_json;
using node::AdminReply;
using node::StatusView;
using Call = std::variant<AdminCall, HttpResponse>;

constexpr std::size_t kNameMax = 128;
constexpr std::size_t kReasonMax = 1024;
constexpr std::int64_t kYearMs = 366LL * 86'400'000;

HttpResponse json_response(const ordered_json& value) {
  HttpResponse response;
  response.body = dump(value);
  return response;
}

HttpResponse refusal_response(const node::Refusal& refusal) {
  switch (refusal.kind) {
    case node::Refusal::Kind::kBadRequest:
      return bad_request(refusal.message);
    case node::Refusal::Kind::kNotFound:
      return error_response(404, "not_found", refusal.message);
    case node::Refusal::Kind::kConflict:
      return error_response(409, "conflict", refusal.message);
    case node::Refusal::Kind::kUnavailable:
      break;
  }
  return error_response(503, "unavailable", refusal.message);
}

// A reply of kind T is rendered, a refusal told, anything else is the node's mistake.
template <class T>
std::function<HttpResponse(const AdminReply&)> rendered(
    std::function<HttpResponse(const T&)> render) {
  return [render = std::move(render)](const AdminReply& reply) {
    if (const auto* refusal = std::get_if<node::Refusal>(&reply)) {
      return refusal_response(*refusal);
    }
    if (const auto* expected = std::get_if<T>(&reply)) {
      return render(*expected);
    }
    return error_response(500, "internal", "the node gave an unexpected reply");
  };
}

AdminCall done_call(node::AdminRequest request) {
  return {.request = std::move(request), .render = rendered<node::Done>([](const node::Done& done) {
                                           return json_response(done_json(done));
                                         })};
}

// For what is not a change of limits: the answer says what holds now.
AdminCall told_call(node::AdminRequest request, ordered_json holds) {
  return {.request = std::move(request),
          .render = rendered<node::Done>(
              [holds = std::move(holds)](const node::Done&) { return json_response(holds); })};
}

AdminCall status_call(std::function<HttpResponse(const StatusView&)> render) {
  return {.request = node::GetStatus{}, .render = rendered<StatusView>(std::move(render))};
}

bool wants_yaml(const HttpRequest& request) {
  return query_value(request.query, "format").value_or("json") == "yaml";
}

HttpResponse yaml_response(std::span<const bucket::LimitSpec> specs) {
  return {.content_type = "application/yaml", .body = limits_yaml(specs)};
}

// `?prune=true` and alike; nullopt when it is there and neither true nor false.
std::optional<bool> query_flag(std::string_view query, std::string_view name) {
  const auto value = query_value(query, name);
  if (!value || *value == "false") {
    return false;
  }
  return *value == "true" || value->empty() ? std::optional(true) : std::nullopt;
}

AdminCall get_limits(const HttpRequest& request) {
  return status_call([yaml = wants_yaml(request)](const StatusView& status) {
    std::vector<bucket::LimitSpec> specs;
    specs.reserve(status.limits.size());
    for (const node::LimitView& limit : status.limits) {
      specs.push_back(limit.spec);
    }
    return yaml ? yaml_response(specs) : HttpResponse{.body = limits_json(specs)};
  });
}

AdminCall get_limit(const HttpRequest& request, std::string name) {
  return status_call(
      [yaml = wants_yaml(request), name = std::move(name)](const StatusView& status) {
        for (const node::LimitView& limit : status.limits) {
          if (limit.spec.name == name) {
            return yaml ? yaml_response({&limit.spec, 1}) : json_response(limit_json(limit.spec));
          }
        }
        return unknown_limit(name);
      });
}

Call put_limits(const HttpRequest& request) {
  const auto prune = query_flag(request.query, "prune");
  if (!prune) {
    return bad_request("prune: expected true or false");
  }
  auto limits = read_limits(request.body, "body");
  if (!limits) {
    return bad_request(limits.error().message);
  }
  return done_call(node::PutLimits{.limits = std::move(*limits), .prune = *prune});
}

// The body is one limit as JSON. Its name may be left out, since the path says it.
Call put_limit(const HttpRequest& request, const std::string& name) {
  const auto object = parse_json_object(request.body);
  if (!object) {
    return bad_request(object.error().message);
  }
  std::string limit(request.body);
  if (const auto named = object->find("name"); named == object->end()) {
    std::string field = "\"name\":";
    append_json_string(field, name);
    limit.insert(limit.find('{') + 1, field + (object->empty() ? "" : ","));
  } else if (!named->is_string() || named->get_ref<const std::string&>() != name) {
    return bad_request("name: expected '" + name + "', as in the path");
  }
  // The reader of limits files checks it, so that both ways accept the same.
  auto limits = read_limits("{\"limits\":[" + limit + "]}", "body");
  if (!limits) {
    return bad_request(limits.error().message);
  }
  return done_call(node::PutLimits{.limits = std::move(*limits)});
}

Call get_buckets(std::string name) {
  return status_call([name = std::move(name)](const StatusView& status) {
    const auto buckets = buckets_json(status, name);
    return buckets ? json_response(*buckets) : unknown_limit(name);
  });
}

// "limit/node", split at the last slash because limit names may contain some.
struct Pair {
  std::string limit;
  std::string node;
};
std::optional<Pair> split_pair(std::string_view rest) {
  const std::size_t slash = rest.rfind('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  auto limit = percent_decoded(rest.substr(0, slash));
  auto node = percent_decoded(rest.substr(slash + 1));
  if (!limit || !node || limit->empty() || node->empty()) {
    return std::nullopt;
  }
  return Pair{.limit = std::move(*limit), .node = std::move(*node)};
}

AdminCall get_overrides() {
  using Overrides = std::vector<node::Override>;
  return {.request = node::ListOverrides{},
          .render = rendered<Overrides>([](const Overrides& overrides) {
            ordered_json json;
            json["overrides"] = ordered_json::array();
            for (const node::Override& one : overrides) {
              json["overrides"].push_back(override_json(one));
            }
            return json_response(json);
          })};
}

AdminCall get_override(Pair pair) {
  using Overrides = std::vector<node::Override>;
  return {.request = node::ListOverrides{},
          .render = rendered<Overrides>([pair = std::move(pair)](const Overrides& overrides) {
            for (const node::Override& one : overrides) {
              if (one.limit == pair.limit && one.node == pair.node) {
                return json_response(override_json(one));
              }
            }
            return error_response(404, "not_found", "no such override");
          })};
}

Call put_override(const HttpRequest& request, Pair pair, std::int64_t wall_ms) {
  const auto object = parse_json_object(request.body);
  if (!object) {
    return bad_request(object.error().message);
  }
  node::Override override_;
  std::int64_t for_ms = 0;
  JsonFields fields(*object, "override");
  override_.limit = std::move(pair.limit);
  override_.node = std::move(pair.node);
  fields.tokens("pin", override_.pin);
  fields.tokens("min", override_.min);
  fields.tokens("max", override_.max);
  fields.flag("freeze", override_.freeze);
  fields.flag("no_lend", override_.no_lend);
  fields.text("author", override_.author, kNameMax);
  fields.name("reason", override_.reason, kReasonMax);
  fields.integer("for_ms", for_ms, 1, kYearMs);
  fields.integer("expires_ms", override_.expires_ms, 0, wall_ms + kYearMs);
  const bool says_something =
      override_.pin || override_.min || override_.max || override_.freeze || override_.no_lend;
  if (!says_something) {
    fields.fail("expected pin, min, max, freeze or no_lend");
  }
  if (override_.min && override_.max && *override_.min > *override_.max) {
    fields.fail("expected min <= max");
  }
  if (override_.pin.has_value() + override_.freeze + (override_.min || override_.max) > 1) {
    fields.fail("expected one of pin, freeze, and min or max: each says what the size may be");
  }
  if (for_ms != 0 && override_.expires_ms != 0) {
    fields.fail("expected for_ms or expires_ms, not both");
  }
  if (const auto status = fields.done(); !status) {
    return bad_request(status.error().message);
  }
  if (for_ms != 0) {
    override_.expires_ms = wall_ms + for_ms;
  }
  ordered_json set = override_json(override_);
  return told_call(node::PutOverride{.override_ = std::move(override_)}, std::move(set));
}

AdminCall delete_override(Pair pair) {
  ordered_json cleared{{"limit", pair.limit}, {"node", pair.node}, {"cleared", true}};
  return told_call(
      node::DeleteOverride{.limit = std::move(pair.limit), .node = std::move(pair.node)},
      std::move(cleared));
}

Call transfer(const HttpRequest& request) {
  const auto object = parse_json_object(request.body);
  if (!object) {
    return bad_request(object.error().message);
  }
  node::Transfer transfer;
  JsonFields fields(*object, "transfer");
  fields.name("limit", transfer.limit, kNameMax);
  fields.name("from", transfer.from, kNameMax);
  fields.name("to", transfer.to, kNameMax);
  fields.tokens("tokens", transfer.amount);
  if (transfer.amount <= base::Tokens{}) {
    fields.fail("tokens: expected more than 0");
  }
  if (const auto status = fields.done(); !status) {
    return bad_request(status.error().message);
  }
  return AdminCall{.request = std::move(transfer),
                   .render = rendered<node::Transferred>([](const node::Transferred& moved) {
                     HttpResponse response;
                     response.body = "{\"tokens\":";
                     append_json_tokens(response.body, moved.amount);
                     response.body += '}';
                     return response;
                   })};
}

Call remove(const HttpRequest& request) {
  const auto object = parse_json_object(request.body);
  if (!object) {
    return bad_request(object.error().message);
  }
  node::Remove remove;
  JsonFields fields(*object, "remove");
  fields.name("node", remove.node, kNameMax);
  fields.flag("certify_stopped", remove.certify_stopped);
  if (const auto status = fields.done(); !status) {
    return bad_request(status.error().message);
  }
  ordered_json removed{{"removed", remove.node}};
  return told_call(std::move(remove), std::move(removed));
}

// Without a body it is the plain one.
Call drain(const HttpRequest& request) {
  node::Drain drain;
  if (!request.body.empty()) {
    const auto object = parse_json_object(request.body);
    if (!object) {
      return bad_request(object.error().message);
    }
    JsonFields fields(*object, "drain");
    fields.flag("undo", drain.undo);
    if (const auto status = fields.done(); !status) {
      return bad_request(status.error().message);
    }
  }
  return told_call(drain, {{"draining", !drain.undo}});
}

AdminCall show_status(ordered_json (*render)(const StatusView&), std::int64_t wall_ms) {
  return status_call([render, wall_ms](const StatusView& status) {
    if (status.as_of_ms != 0) {
      return json_response(render(status));
    }
    StatusView dated = status;
    dated.as_of_ms = wall_ms;
    return json_response(render(dated));
  });
}

// Routes whose path ends in one name.
Call named_call(Route route, const HttpRequest& request, std::string name) {
  switch (route) {
    case Route::kLimit:
      return get_limit(request, std::move(name));
    case Route::kPutLimit:
      return put_limit(request, name);
    case Route::kDeleteLimit:
      return done_call(node::DeleteLimit{.name = std::move(name)});
    default:
      return get_buckets(std::move(name));
  }
}

Call paired_call(Route route, const HttpRequest& request, Pair pair, std::int64_t wall_ms) {
  switch (route) {
    case Route::kPutOverride:
      return put_override(request, std::move(pair), wall_ms);
    case Route::kDeleteOverride:
      return delete_override(std::move(pair));
    default:
      return get_override(std::move(pair));
  }
}

}  // namespace

bool is_admin(Route route) {
  switch (route) {
    case Route::kAcquire:
    case Route::kSettle:
    case Route::kMetrics:
    case Route::kHealthz:
    case Route::kReadyz:
    case Route::kDashboard:
      return false;
    default:
      return true;
  }
}

Call admin_call(const Routed& routed, const HttpRequest& request, std::int64_t wall_ms) {
  switch (routed.route) {
    case Route::kLimits:
      return get_limits(request);
    case Route::kPutLimits:
      return put_limits(request);
    case Route::kOverrides:
      return get_overrides();
    case Route::kOverride:
    case Route::kPutOverride:
    case Route::kDeleteOverride: {
      auto pair = split_pair(routed.rest);
      return pair ? paired_call(routed.route, request, std::move(*pair), wall_ms)
                  : Call(bad_request("expected /v1/overrides/LIMIT/NODE"));
    }
    case Route::kTransfer:
      return transfer(request);
    case Route::kDrain:
      return drain(request);
    case Route::kLeave:
      return told_call(node::Leave{}, {{"left", true}});
    case Route::kRemove:
      return remove(request);
    case Route::kStatus:
      return show_status(&status_json, wall_ms);
    case Route::kMembers:
      return show_status(&members_json, wall_ms);
    case Route::kShards:
      return show_status(&shards_json, wall_ms);
    default: {
      auto name = percent_decoded(routed.rest);
      return name && !name->empty() ? named_call(routed.route, request, std::move(*name))
                                    : Call(bad_request("the path is not percent-encoded"));
    }
  }
}

}  // namespace brigade::api
