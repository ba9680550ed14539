#include "api/json_views.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "api/json_limits.h"
#include "base/hex.h"

namespace brigade::api {
namespace {

using nlohmann::ordered_json;

ordered_json addresses_json(const node::Addresses& addresses) {
  return {{"peer", addresses.peer},
          {"redis", addresses.redis},
          {"http", addresses.http},
          {"envoy", addresses.envoy}};
}

ordered_json member_json(const node::MemberView& member) {
  ordered_json json;
  json["name"] = member.name;
  json["state"] = member.state;
  json["addresses"] = addresses_json(member.addresses);
  json["region"] = member.region;
  json["zone"] = member.zone;
  json["load"] = {{"cpu", member.load.cpu},
                  {"memory_bytes", member.load.memory_bytes},
                  {"net_in_bps", member.load.net_in_bps},
                  {"net_out_bps", member.load.net_out_bps},
                  {"request_ms_p99", member.load.request_ms_p99},
                  {"offered_per_s", member.load.offered_per_s},
                  {"memory_limit_bytes", member.load.memory_limit_bytes},
                  {"request_ms_p99_by_door",
                   {{"redis", member.load.redis_ms_p99}, {"http", member.load.http_ms_p99}}},
                  {"queue_ms", member.load.queue_ms},
                  {"pressed", member.load.pressed}};
  json["draining"] = member.draining;
  return json;
}

ordered_json shard_json(const node::ShardView& shard) {
  const auto index = [](const std::optional<std::uint64_t>& value) {
    return value ? ordered_json(*value) : ordered_json();
  };
  ordered_json json;
  json["id"] = shard.id;
  json["leader"] = shard.leader.empty() ? ordered_json() : ordered_json(shard.leader);
  json["term"] = shard.term;
  json["leader_since_s"] = shard.leader_since_s;
  json["voters"] = shard.voters;
  json["learners"] = shard.learners;
  json["outgoing"] = shard.outgoing;
  json["commit"] = index(shard.commit);
  json["applied"] = index(shard.applied);
  return json;
}

ordered_json bucket_json(const node::BucketView& bucket) {
  ordered_json json;
  json["node"] = bucket.node;
  json["rate_per_s"] = bucket.rate_per_s;
  json["size"] = bucket.size;
  json["level"] = bucket.level;
  json["lent_total"] = bucket.lent_total;
  json["borrowed_total"] = bucket.borrowed_total;
  json["admitted_total"] = bucket.admitted_total;
  json["refused_total"] = bucket.refused_total;
  json["offered_per_s"] = bucket.offered_per_s;
  return json;
}

ordered_json limit_view_json(const node::LimitView& limit) {
  ordered_json json;
  json["name"] = limit.spec.name;
  json["mode"] = limit.spec.mode == bucket::Mode::kStrict ? "strict" : "shared";
  json["per"] = limit.spec.per_key ? ordered_json("key") : ordered_json();
  json["divided"] = limit.spec.divided();
  json["configured"] = {{"rate_per_s", limit.spec.rate.as_double()},
                        {"burst", limit.spec.burst.as_double()}};
  json["effective"] = {{"rate_per_s", limit.effective_rate_per_s},
                       {"burst", limit.effective_burst}};
  json["shard"] = limit.shard;
  json["pool"] = {{"rate_per_s", limit.pool.rate_per_s},
                  {"size", limit.pool.size},
                  {"level", limit.pool.level}};
  json["fairness"] = {{"policy", fairness_text(limit.spec.fairness)},
                      {"jain", limit.jain},
                      {"max_min_gap", limit.max_min_gap},
                      {"lend_balance", limit.lend_balance}};
  json["buckets"] = ordered_json::array();
  for (const node::BucketView& bucket : limit.buckets) {
    json["buckets"].push_back(bucket_json(bucket));
  }
  return json;
}

}  // namespace

ordered_json members_json(const node::StatusView& status) {
  ordered_json json;
  json["members"] = ordered_json::array();
  for (const node::MemberView& member : status.members) {
    json["members"].push_back(member_json(member));
  }
  return json;
}

ordered_json shards_json(const node::StatusView& status) {
  ordered_json json;
  json["shards"] = ordered_json::array();
  for (const node::ShardView& shard : status.shards) {
    json["shards"].push_back(shard_json(shard));
  }
  return json;
}

ordered_json status_json(const node::StatusView& status) {
  ordered_json json;
  json["as_of_ms"] = status.as_of_ms;
  json["node"] = {{"name", status.name},
                  {"id", base::text(status.id)},
                  {"version", status.version},
                  {"region", status.region},
                  {"zone", status.zone},
                  {"uptime_s", status.uptime_s},
                  {"addresses", addresses_json(status.addresses)}};
  json["cluster"] = {{"id", base::text(status.cluster_id)}, {"name", status.cluster_name}};
  json["cluster"]["members"] = std::move(members_json(status)["members"]);
  json["shards"] = std::move(shards_json(status)["shards"]);
  json["limits"] = ordered_json::array();
  for (const node::LimitView& limit : status.limits) {
    json["limits"].push_back(limit_view_json(limit));
  }
  return json;
}

std::optional<ordered_json> buckets_json(const node::StatusView& status, std::string_view limit) {
  for (const node::LimitView& view : status.limits) {
    if (view.spec.name == limit) {
      return limit_view_json(view);
    }
  }
  return std::nullopt;
}

ordered_json override_json(const node::Override& override_) {
  const auto amount = [](const std::optional<base::Tokens>& tokens) {
    return tokens ? ordered_json(tokens->as_double()) : ordered_json();
  };
  ordered_json json;
  json["limit"] = override_.limit;
  json["node"] = override_.node;
  json["pin"] = amount(override_.pin);
  json["min"] = amount(override_.min);
  json["max"] = amount(override_.max);
  json["freeze"] = override_.freeze;
  json["no_lend"] = override_.no_lend;
  json["author"] = override_.author;
  json["reason"] = override_.reason;
  json["expires_ms"] = override_.expires_ms;
  return json;
}

ordered_json done_json(const node::Done& done) {
  return {{"version", done.version}, {"laggards", done.laggards}};
}

std::string dump(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace brigade::api
