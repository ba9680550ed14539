// Draining, leaving for good, and forgetting those who are gone.
#include <algorithm>
#include <charconv>
#include <utility>

#include "base/hex.h"
#include "node/node.h"

namespace brigade::node {
namespace {

// Within this a leave is answered; it goes on if it takes longer.
constexpr base::Duration kLeavePatience = base::seconds(30);

Refusal conflict(std::string message) {
  return {.kind = Refusal::Kind::kConflict, .message = std::move(message)};
}

}  // namespace

// ---- rights that outlived their session ----

void Node::hand_back(ShardId shard) {
  std::erase_if(owed_, [&](const auto& one) { return one.second.first == shard; });
  for (const ReturnSession& command : tenants_[shard.value()].owed()) {
    const Ticket ticket = next_ticket_++;
    owed_[ticket] = {shard, command.account};
    send_to_leader(shard, Submit{.shard = shard, .ticket = ticket, .command = command});
  }
}

void Node::handed_back(const Submitted& submitted) {
  const auto found = owed_.find(submitted.ticket);
  if (found == owed_.end()) {
    return;
  }
  if (!submitted.elsewhere && !submitted.unknown) {
    tenants_[found->second.first.value()].returned(found->second.second);
  }
  owed_.erase(found);
}

// ---- drain ----

void Node::begin_drain(Instant now) {
  if (draining_) {
    return;
  }
  draining_ = true;
  drain_began_ = now.slow;
  for (std::uint32_t i = 0; i < tenants_.size(); ++i) {
    tenants_[i].stop();
    if (auto command = tenants_[i].surrender(now)) {
      const Ticket ticket = next_ticket_++;
      returning_.insert(ticket);
      send_to_leader(ShardId(i),
                     Submit{.shard = ShardId(i), .ticket = ticket, .command = *command});
    }
  }
  for (auto& [shard, replica] : replicas_) {
    replica->move_on(now);
  }
}

void Node::drain(Instant now) {
  drains_for_good_ = true;
  begin_drain(now);
}

// The old sessions are over; this node opens new ones as if it had just started.
std::optional<Refusal> Node::end_drain(Instant now) {
  if (drains_for_good_) {
    return conflict("this node is about to stop or to leave: start it again instead");
  }
  if (!draining_) {
    return std::nullopt;
  }
  draining_ = false;
  returning_.clear();
  for (Tenant& tenant : tenants_) {
    tenant.resume(now);
  }
  for (auto& [shard, replica] : replicas_) {
    replica->stay(now);
  }
  return std::nullopt;
}

bool Node::drained() const {
  return draining_ && returning_.empty() && settlements_.empty() &&
         std::none_of(replicas_.begin(), replicas_.end(), [](const auto& one) {
           return one.second->serves() && one.second->has_heir();
         });
}

// ---- leave ----

std::optional<Refusal> Node::begin_leave(Control& control, Instant now) {
  const bool heir = std::any_of(peers_.begin(), peers_.end(), [&](const auto& one) {
    return standing(one.second, now) == Standing::kWelcome;
  });
  if (!heir) {
    return conflict(
        "no other live member can take over what this node stores: leaving would lose the limits "
        "and their tokens; to stop this node and keep its data, send it SIGTERM");
  }
  control.deadline = now.slow + kLeavePatience;
  leaving_ = true;
  drain(now);
  return std::nullopt;
}

bool Node::emptied() const {
  return leaving_ && drained() && replicas_.empty();
}

bool Node::left() const {
  return emptied() && parted_.size() == tenants_.size();
}

// A copy of this node's directory, or the directory itself, must not come back as this node: ids of
// its replicas are used up, and others count on it to be gone.
void Node::part() {
  partings_.clear();
  for (std::uint32_t i = 0; emptied() && i < tenants_.size(); ++i) {
    const ShardId shard(i);
    if (!parted_.contains(shard)) {
      const Ticket ticket = next_ticket_++;
      partings_[ticket] = shard;
      send_to_leader(shard, Submit{.shard = shard,
                                   .ticket = ticket,
                                   .command = RemoveNode{.node = config_.id, .certified = false}});
    }
  }
}

void Node::parted(NodeId from, const Submitted& submitted) {
  const auto found = partings_.find(submitted.ticket);
  if (found == partings_.end()) {
    return;
  }
  const ShardId shard = found->second;
  partings_.erase(found);
  if (submitted.unknown || submitted.elsewhere) {
    directory_.redirected(shard, from, submitted.leader);
  } else {
    parted_.insert(shard);  // or it has no room for such records: nothing is left to do
  }
}

Refusal Node::not_left_yet() const {
  std::string shards;
  for (const auto& [shard, replica] : replicas_) {
    shards += (shards.empty() ? "" : ", ") + std::to_string(shard.value());
  }
  return {
      .kind = Refusal::Kind::kUnavailable,
      .message = shards.empty()
                     ? "this node's farewell is not on record yet: a shard has no leader "
                       "that commits; it goes on trying and leaves then"
                     : "this node still has replicas of the shards " + shards +
                           ": they move as soon as these have a leader and another member has "
                           "caught up; it goes on trying and leaves then (see `brigade shards`)"};
}

// ---- remove ----

// A member of this name, or with this id as `brigade shards` shows it, that does not live.
NodeId Node::gone_member(const std::string& name) const {
  for (const auto& [id, peer] : peers_) {
    if (!peer.live && (peer.name == name || base::text(id) == name)) {
      return id;
    }
  }
  std::uint64_t number = 0;
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data(), end, number, 16);
  if (name.size() == 12 && parsed.ec == std::errc() && parsed.ptr == end) {
    const NodeId id(number);
    const bool live = id == config_.id || (peers_.contains(id) && peers_.at(id).live);
    return live ? NodeId() : id;
  }
  return NodeId();
}

std::optional<Refusal> Node::begin_remove(Control& control, const Remove& remove) const {
  const NodeId id = gone_member(remove.node);
  if (!id) {
    const NodeId living = named(remove.node);
    if (living == config_.id) {
      return conflict(remove.node + " is the node that you ask: use `brigade leave`");
    }
    if (living) {
      return conflict(remove.node +
                      " is alive: have it leave (`brigade leave --node` its HTTP address), or stop "
                      "it and wait until `brigade members` says that it is dead or left");
    }
    return Refusal{.kind = Refusal::Kind::kNotFound,
                   .message = "no member is named " + remove.node +
                              "; a voter without a name in `brigade shards` is removed by its id"};
  }
  control.removes = id;
  for (std::uint32_t i = 0; i < config_.shards; ++i) {
    control.waiting[ShardId(i)] = RemoveNode{.node = id, .certified = remove.certify_stopped};
  }
  return std::nullopt;
}

}  // namespace brigade::node
