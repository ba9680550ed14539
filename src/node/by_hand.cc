#include "node/by_hand.h"

#include <utility>

namespace brigade::node {
namespace {

Refusal senseless(std::string why) {
  return {.kind = Refusal::Kind::kBadRequest, .message = std::move(why)};
}

Refusal no_limit(const std::string& name) {
  return {.kind = Refusal::Kind::kNotFound, .message = "no limit is named " + name};
}

Refusal no_member(const std::string& name) {
  return {.kind = Refusal::Kind::kNotFound, .message = "no member is named " + name};
}

// Only of a limit that all share does a member have a bucket that stays: `so` says what follows.
std::optional<Refusal> without_buckets(const bucket::LimitSpec& spec, const std::string& so) {
  if (spec.mode == bucket::Mode::kStrict) {
    return senseless(spec.name + " is strict: its shard decides, no member has a bucket of it" +
                     so);
  }
  if (!spec.per_key && !spec.divided()) {
    return senseless(spec.name + " has few tokens: the leader of its shard keeps them together, " +
                     "no member has a part of them" + so);
  }
  if (spec.per_key) {
    return senseless(spec.name + " has a bucket for each key, kept by the leader of the key's " +
                     "shard: no member has one of it" + so);
  }
  return std::nullopt;
}

}  // namespace

SetOverride command_of(const Override& o, NodeId node) {
  return {.limit = o.limit,
          .node = node,
          .has_pin = o.pin.has_value(),
          .has_min = o.min.has_value(),
          .has_max = o.max.has_value(),
          .pin = o.pin.value_or(Tokens{}),
          .min = o.min.value_or(Tokens{}),
          .max = o.max.value_or(Tokens{}),
          .freeze = o.freeze,
          .no_lend = o.no_lend,
          .author = o.author,
          .reason = o.reason,
          .expires_ms = o.expires_ms};
}

Override view_of(const SetOverride& o, std::string node) {
  Override view{.limit = o.limit, .node = std::move(node)};
  view.pin = o.has_pin ? std::optional(o.pin) : std::nullopt;
  view.min = o.has_min ? std::optional(o.min) : std::nullopt;
  view.max = o.has_max ? std::optional(o.max) : std::nullopt;
  view.freeze = o.freeze;
  view.no_lend = o.no_lend;
  view.author = o.author;
  view.reason = o.reason;
  view.expires_ms = o.expires_ms;
  return view;
}

std::optional<Refusal> mistake_in(const DeleteLimit& erase, const bucket::LimitSpec* spec) {
  return spec == nullptr ? std::optional(no_limit(erase.name)) : std::nullopt;
}

std::optional<Refusal> mistake_in(const Override& o, const bucket::LimitSpec* spec, NodeId node) {
  if (!node) {
    return no_member(o.node);
  }
  if (spec == nullptr) {
    return no_limit(o.limit);
  }
  return without_buckets(*spec, " to override");
}

std::optional<Refusal> mistake_in(const DeleteOverride& clear, const bucket::LimitSpec* spec,
                                  NodeId node) {
  if (!node) {
    return no_member(clear.node);
  }
  return spec == nullptr ? std::optional(no_limit(clear.limit)) : std::nullopt;
}

std::optional<Refusal> mistake_in(const Transfer& move, const bucket::LimitSpec* spec, NodeId from,
                                  NodeId to) {
  if (spec == nullptr) {
    return no_limit(move.limit);
  }
  if (!from || !to) {
    return no_member(from ? move.to : move.from);
  }
  if (from == to) {
    return senseless(move.from + " is giver and receiver: expected two members");
  }
  return without_buckets(*spec, " to move tokens from or to");
}

Refusal not_there(const DeleteOverride& clear) {
  return {.kind = Refusal::Kind::kNotFound,
          .message = "no override of " + clear.limit + " on " + clear.node + " is set"};
}

}  // namespace brigade::node
