#include "api/http_acquire.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "api/json_fields.h"
#include "api/json_text.h"
#include "api/waits.h"

namespace brigade::api {
namespace {

using base::Duration;
using base::Error;
using node::Decision;
using node::Verdict;

constexpr std::size_t kItemsMax = 32;
constexpr std::size_t kKeyMax = std::size_t{64} << 10U;
constexpr std::size_t kNameMax = 128;
constexpr std::int64_t kWaitMaxMs = 3'600'000;

base::Result<AcquireItem> read_item(const nlohmann::json& object) {
  AcquireItem item;
  std::int64_t wait_ms = 0;
  JsonFields fields(object, "acquire");
  fields.name("limit", item.limit, kNameMax);
  fields.text("key", item.key, kKeyMax);
  fields.tokens("cost", item.cost);
  fields.integer("wait_ms", wait_ms, 0, kWaitMaxMs);
  fields.text("priority", item.priority, kNameMax);
  fields.flag("reserve", item.reserve);
  fields.text("id", item.id, kNameMax);
  if (const auto status = fields.done(); !status) {
    return status.error();
  }
  item.wait = base::milliseconds(wait_ms);
  return item;
}

bool counted(Verdict verdict) {
  return verdict == Verdict::kAdmitted || verdict == Verdict::kRefused ||
         verdict == Verdict::kNever;
}

void append_decision(std::string& out, const Decision& decision) {
  out += decision.admitted() ? R"({"admitted":true,"remaining":)"
                             : R"({"admitted":false,"remaining":)";
  out += std::to_string(std::max<std::int64_t>(0, decision.remaining.floor()));
  out += R"(,"retry_after_ms":)";
  if (decision.admitted()) {
    out += "-1";
  } else if (decision.verdict == Verdict::kNever) {
    out += "-2";
  } else {
    out += std::to_string(milliseconds_up(decision.retry_after));
  }
  out += R"(,"source":")";
  out += to_text(decision.source);
  out += R"(","reservation":)";
  if (decision.reservation.sequence != 0) {
    append_json_string(out, node::to_text(decision.reservation));
  } else {
    out += "null";
  }
}

// "api";q=2000;w=2 and "api";r=12;t=2: limit names need no escape in a structured field's string.
void append_headers(std::string& policy, std::string& state, const std::string& limit,
                    const Decision& decision) {
  if (decision.burst <= base::Tokens{} || decision.rate <= base::Rate{}) {
    return;
  }
  const std::string separator = policy.empty() ? "" : ", ";
  const auto window = seconds_until_full(decision.rate.time_for(decision.burst));
  policy += separator;
  policy += '"' + limit + "\";q=" + std::to_string(decision.burst.floor());
  policy += ";w=" + std::to_string(window);
  const std::int64_t remaining = std::max<std::int64_t>(0, decision.remaining.floor());
  state += separator;
  state += '"' + limit + "\";r=" + std::to_string(remaining);
  state += ";t=" + std::to_string(seconds_until_full(decision.reset_after()));
}

void add_headers(HttpResponse& response, std::span<const std::string> limits,
                 const Decision& decision) {
  std::string policy;
  std::string state;
  if (limits.size() == 1 && decision.each.empty()) {
    append_headers(policy, state, limits.front(), decision);
  }
  for (std::size_t i = 0; i < std::min(limits.size(), decision.each.size()); ++i) {
    append_headers(policy, state, limits[i], decision.each[i]);
  }
  if (!policy.empty()) {
    response.headers.emplace_back("RateLimit-Policy", policy);
    response.headers.emplace_back("RateLimit", state);
  }
  if (decision.verdict == Verdict::kRefused) {
    response.headers.emplace_back("Retry-After", std::to_string(seconds_up(decision.retry_after)));
  }
}

HttpResponse verdict_error(Verdict verdict, const std::string& limit) {
  switch (verdict) {
    case Verdict::kUnknownLimit:
      return unknown_limit(limit);
    case Verdict::kBadRequest:
      return bad_request(limit +
                         ": expected a cost of at least 0, and an id that is not older than what "
                         "the limit remembers");
    case Verdict::kKeyMissing:
      return bad_request(limit + ": expected a key: this limit has a bucket for each (per: key)");
    case Verdict::kKeyUnwanted:
      return bad_request(limit +
                         ": expected no key: this limit has one bucket for all (no per: key)");
    case Verdict::kUnknownPriority:
      return bad_request(limit + ": the priority is none of this limit's classes; `brigade limit " +
                         "get " + limit + "` lists them under priorities");
    case Verdict::kIdUnwanted:
      return bad_request(limit +
                         ": expected no id: only a limit with `mode: strict` charges the same id "
                         "once, this one would charge it every time");
    case Verdict::kTooManyKeys:
      return error_response(503, "too_many_keys", limit + ": max_keys is reached");
    case Verdict::kTooManyWaiting:
      return error_response(503, "too_many_waiting", limit + ": too many requests wait");
    case Verdict::kDraining:
      return error_response(503, "draining",
                            "this node is drained and admits nothing: ask another one "
                            "(`brigade drain --undo` has it take part again)");
    default:
      return error_response(503, "no_rights",
                            limit + ": this node has no rights and no way to get any now");
  }
}

}  // namespace

node::AcquireRequest AcquireItem::request() const {
  return {.limit = limit,
          .key = key,
          .cost = cost,
          .wait = wait,
          .priority = priority,
          .reserve = reserve,
          .id = id};
}

base::Result<AcquireBody> read_acquire(std::string_view body) {
  auto object = parse_json_object(body);
  if (!object) {
    return object.error();
  }
  AcquireBody acquire;
  const auto all = object->find("all");
  if (all == object->end()) {
    auto item = read_item(*object);
    if (!item) {
      return item.error();
    }
    acquire.items.push_back(std::move(*item));
    return acquire;
  }
  acquire.all = true;
  if (object->size() != 1 || !all->is_array() || all->empty() || all->size() > kItemsMax) {
    return Error{"all: expected a list of 1 to 32 acquires and nothing beside it"};
  }
  for (const nlohmann::json& one : *all) {
    auto item = read_item(one);
    if (!item) {
      return Error{"all[" + std::to_string(acquire.items.size()) + "]: " + item.error().message};
    }
    acquire.items.push_back(std::move(*item));
  }
  return acquire;
}

HttpResponse acquire_response(std::span<const std::string> limits, bool all,
                              const Decision& decision) {
  const std::size_t refused_by = std::min<std::size_t>(decision.refused_by, limits.size() - 1);
  if (!counted(decision.verdict)) {
    HttpResponse response = verdict_error(decision.verdict, limits[refused_by]);
    if (response.status == 503 && decision.retry_after > Duration::zero()) {
      response.headers.emplace_back("Retry-After",
                                    std::to_string(seconds_up(decision.retry_after)));
    }
    return response;
  }
  HttpResponse response{.status = decision.admitted() ? 200 : 429};
  append_decision(response.body, decision);
  if (all) {
    response.body += R"(,"refused_by":)";
    if (decision.admitted()) {
      response.body += "null";
    } else {
      append_json_string(response.body, limits[refused_by]);
    }
    response.body += R"(,"results":[)";
    for (std::size_t i = 0; i < std::min(limits.size(), decision.each.size()); ++i) {
      response.body += i == 0 ? "" : ",";
      append_decision(response.body, decision.each[i]);
      response.body += R"(,"limit":)";
      append_json_string(response.body, limits[i]);
      response.body += '}';
    }
    response.body += ']';
  }
  response.body += '}';
  add_headers(response, limits, decision);
  return response;
}

base::Result<SettleBody> read_settle(std::string_view body) {
  auto object = parse_json_object(body);
  if (!object) {
    return object.error();
  }
  SettleBody settle;
  std::string reservation;
  JsonFields fields(*object, "settle");
  fields.name("reservation", reservation, kNameMax);
  fields.tokens("cost", settle.cost);
  if (!fields.has("cost")) {
    fields.fail("cost: expected the tokens that were really used");
  }
  if (const auto status = fields.done(); !status) {
    return status.error();
  }
  if (!node::parse(reservation, settle.reservation)) {
    return Error{"settle: reservation: expected the text that the acquire returned"};
  }
  return settle;
}

HttpResponse settle_response(const node::SettleReply& reply) {
  switch (reply.verdict) {
    case node::SettleVerdict::kSettled:
      break;
    case node::SettleVerdict::kConflict:
      return error_response(409, "conflict", "this reservation is settled already");
    case node::SettleVerdict::kUnknown:
      return error_response(404, "unknown_reservation",
                            "no such reservation here: it is settled at the node that made it");
    case node::SettleVerdict::kNoWay:
      return error_response(503, "no_leader",
                            "no leader answered in time: the reservation may be settled again");
    case node::SettleVerdict::kBadRequest:
      return bad_request("settle: expected a cost of at least 0");
  }
  HttpResponse response;
  response.body = R"({"refunded":)";
  append_json_tokens(response.body, reply.refunded);
  response.body += R"(,"overdraft":)";
  append_json_tokens(response.body, reply.overdraft);
  response.body += '}';
  return response;
}

}  // namespace brigade::api
