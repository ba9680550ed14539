#include "node/node.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/coverage.h"
#include "node/batches.h"

namespace brigade::node {
namespace {

// Messages of one settle that this node sends to itself and that cause further ones.
constexpr int kPasses = 16;
constexpr base::Duration kRoomEvery = base::milliseconds(50);

}  // namespace

Node::Node(NodeConfig config, const Codec& codec, base::Prng dice, Instant now)
    : config_(std::move(config)),
      codec_(codec),
      dice_(dice),
      started_(now.slow),
      directory_(config_.shards),
      book_(config_.home),
      throttled_(now.slow),
      implicit_(config_.key_seed),
      tills_(config_.boot.low >> 4U, config_.session.plant) {
  // An answer to an earlier process of this node must not meet a question of ours.
  next_ticket_ += config_.boot.low >> 4U;
  for (std::uint32_t shard = 0; shard < config_.shards; ++shard) {
    tenants_.emplace_back(ShardId(shard), config_.boot, config_.session);
    answered_.push_back(TimePoint::min());
  }
}

// ---- peers ----

void Node::seen(const PeerView& peer, Instant now) {
  if (peer.id == config_.id) {
    return;
  }
  peers_[peer.id] = peer;
  if (peer.live) {
    book_.joined(peer.id, peer.home);
    for (Tenant& tenant : tenants_) {
      if (!tenant.answered()) {
        tenant.hurry(now);
      }
    }
  } else {
    book_.left(peer.id);
    directory_.left(peer.id);
    digests_.erase(peer.id);
  }
}

void Node::forgotten(NodeId peer) {
  peers_.erase(peer);
  digests_.erase(peer);
  book_.left(peer);
  directory_.left(peer);
}

void Node::heard(NodeId peer, const NodeDigest& digest, Instant now) {
  digests_[peer] = digest;
  for (const LeadReport& lead : digest.leads) {
    note_leader(lead.shard, peer, lead.term, now);
  }
  for (const FreeReport& free : digest.free) {
    book_.free_tokens(peer, free.limit, free.free, now.slow);
    if (free.starving) {
      starved_.heard(free.limit, now.slow);
    }
  }
  book_.pressed(peer, digest.load.pressed);
}

void Node::loaded(const LoadView& load, Instant now) {
  load_ = load;
  strain_.observe(load);
  load_.pressed = strain_.pressed();
  Rate offered = throttled_.rate(now.slow);
  for (const auto& [name, served] : served_) {
    offered += offered_of(served, now);
  }
  load_.offered_per_s = offered.as_double();
}

void Node::wall_clock(std::int64_t wall_ms) {
  for (auto& [shard, replica] : replicas_) {
    replica->expire_overrides(wall_ms);
  }
}

Rate Node::offered_of(const Served& served, Instant now) {
  if (served.elsewhere) {
    return served.demand ? served.demand->rate(now.slow) : Rate{};
  }
  return served.shared ? served.shared->offered(now) : Rate{};
}

void Node::note_leader(ShardId shard, NodeId leader, std::uint64_t term, Instant now) {
  if (directory_.heard(shard, leader, term)) {
    tenants_[shard.value()].follow_hint(now);
    for (auto& [ticket, errand] : errands_) {
      if (errand.ask.shard == shard && errand.wait_until < now.slow) {
        errand.retry_at = std::min(errand.retry_at, std::max(now.slow, errand.look_again));
        errands_due_ = std::min(errands_due_, errand.retry_at);
      }
    }
    for (auto& [ticket, control] : controls_) {
      control.retry_at = std::min(control.retry_at, now.slow);
    }
  }
}

// ---- messages ----

void Node::send(NodeId to, PeerMessage message, TimePoint expires) {
  outgoing_.push_back({.to = to, .message = std::move(message), .expires = expires});
}

void Node::send_to_leader(ShardId shard, PeerMessage message) {
  NodeId leader = directory_.leader(shard);
  if (!leader) {
    // Somebody will know: a voter of the shard if there is one here, else any live peer.
    if (replicas_.contains(shard)) {
      leader = replicas_.at(shard)->serves() ? config_.id : replicas_.at(shard)->leader();
    }
    if (!leader) {
      std::vector<NodeId> live;
      for (const auto& [id, peer] : peers_) {
        if (peer.live) {
          live.push_back(id);
        }
      }
      leader = live.empty() ? config_.id : live[dice_.below(live.size())];
    }
  }
  send(leader, std::move(message));
}

void Node::received(NodeId from, const PeerMessage& message, Instant now) {
  dispatch(from, message, now);
}

template <class T>
void Node::to_replica(NodeId from, ShardId shard, const T& message, Instant now) {
  const auto found = replicas_.find(shard);
  if constexpr (std::is_same_v<T, Ask>) {
    if (found != replicas_.end() && found->second->may_serve_soon()) {
      found->second->on(from, message, now);
      return;
    }
  }
  if (found != replicas_.end() && found->second->serves()) {
    Replica& replica = *found->second;
    if constexpr (std::is_same_v<T, OpenAsk> || std::is_same_v<T, ShrunkNotice>) {
      replica.on(from, message);
    } else {
      replica.on(from, message, now);
    }
    return;
  }
  NodeId leader = found != replicas_.end() ? found->second->leader() : NodeId();
  std::uint64_t term = found != replicas_.end() ? found->second->core().term().value() : 0;
  if (!leader || leader == config_.id) {
    leader = directory_.leader(shard);
    term = leader ? directory_.term(shard) : 0;
  }
  if (leader == config_.id) {
    leader = NodeId();
  }
  if constexpr (std::is_same_v<T, Ask>) {
    send(from, Told{.ticket = message.ticket, .elsewhere = true, .leader = leader});
  } else if constexpr (std::is_same_v<T, SettleAsk>) {
    send(from, SettleTold{.ticket = message.ticket, .elsewhere = true, .leader = leader});
  } else if constexpr (std::is_same_v<T, Submit>) {
    send(from, Submitted{.ticket = message.ticket, .elsewhere = true, .leader = leader});
  } else if (from != config_.id) {
    send(from, LeaderHint{.shard = shard, .leader = leader, .term = term});
  }
}

void Node::to_leader(NodeId from, const Submit& submit, Instant now) {
  to_replica(from, submit.shard, submit, now);
}

void Node::dispatch(NodeId from, const PeerMessage& message, Instant now) {
  if (const auto* open = std::get_if<OpenAsk>(&message)) {
    to_replica(from, open->shard, *open, now);
  } else if (const auto* opened = std::get_if<OpenAnswer>(&message)) {
    if (opened->shard.value() < tenants_.size()) {
      tenants_[opened->shard.value()].on(*opened, now);
    }
  } else if (const auto* renew = std::get_if<Renew>(&message)) {
    to_replica(from, renew->shard, *renew, now);
  } else if (const auto* renewed = std::get_if<RenewAnswer>(&message)) {
    on(from, *renewed, now);
  } else if (const auto* config = std::get_if<ConfigHint>(&message)) {
    if (config->shard.value() < tenants_.size()) {
      tenants_[config->shard.value()].hurry(now);
    }
  } else if (const auto* hint = std::get_if<LeaderHint>(&message)) {
    directory_.doubt(hint->shard, from);
    if (hint->leader) {
      note_leader(hint->shard, hint->leader, hint->term, now);
    }
  } else if (const auto* rights = std::get_if<RightsNotice>(&message)) {
    on(from, *rights, now);
  } else if (const auto* shrunk = std::get_if<ShrunkNotice>(&message)) {
    to_replica(from, shrunk->shard, *shrunk, now);
  } else if (const auto* borrow = std::get_if<Borrow>(&message)) {
    on(from, *borrow, now);
  } else if (const auto* loan = std::get_if<Loan>(&message)) {
    if (SharedLimit* limit = holding(loan->ledger)) {
      limit->on(from, *loan, book_, now);
    }
  } else if (const auto* ask = std::get_if<Ask>(&message)) {
    if (!host(from, *ask, now)) {
      to_replica(from, ask->shard, *ask, now);
    }
  } else if (const auto* told = std::get_if<Told>(&message)) {
    on(from, *told, now);
  } else if (const auto* asks = std::get_if<AskBatch>(&message)) {
    for (const Ask& one : asks->asks) {
      if (!host(from, one, now)) {
        to_replica(from, one.shard, one, now);
      }
    }
  } else if (const auto* tolds = std::get_if<ToldBatch>(&message)) {
    for (const Told& one : tolds->tolds) {
      on(from, one, now);
    }
  } else if (const auto* settle = std::get_if<SettleAsk>(&message)) {
    if (!settle_guest(from, *settle)) {
      to_replica(from, settle->shard, *settle, now);
    }
  } else if (const auto* settled = std::get_if<SettleTold>(&message)) {
    on(from, *settled, now);
  } else if (const auto* wants = std::get_if<QuantumAsk>(&message)) {
    to_replica(from, wants->shard, *wants, now);
  } else if (const auto* quantum = std::get_if<Quantum>(&message)) {
    tills_.on(*quantum, now);
  } else if (!dispatch_replicas(from, message, now)) {
    dispatch_control(from, message, now);
  }
}

void Node::on(NodeId from, const RenewAnswer& answer, Instant now) {
  if (answer.shard.value() >= tenants_.size()) {
    return;
  }
  Tenant& tenant = tenants_[answer.shard.value()];
  TenantNews news = tenant.on(answer, now);
  if (!news.answered) {
    return;
  }
  answered_[answer.shard.value()] = now.slow;
  removed_ = removed_ || (answer.removed && !leaving_);
  directory_.heard(answer.shard, from, directory_.term(answer.shard));
  if (news.lapsed) {
    session_ended(answer.shard);
  }
  for (const DroppedLimit& dropped : news.dropped) {
    stop_serving(dropped.limit);
  }
  end_closed(answer.closed, now);
  for (const ConfigRecord& config : news.limits) {
    serve(config, now);
  }
  for (const auto& [limit, shard] : shared_) {
    if (shard == answer.shard) {
      limit->forbid_lending(std::find(answer.no_lend.begin(), answer.no_lend.end(),
                                      limit->config().spec.name) != answer.no_lend.end());
    }
  }
  for (const Credit& credit : answer.credits) {
    book_.credit(credit.node, PeerBook::hash_of({.limit = credit.limit, .key = {}}), credit.rank);
  }
  if (auto notice = tenant.adopt(answer, now)) {
    send(from, std::move(*notice));
  }
}

void Node::on(NodeId from, const RightsNotice& notice, Instant now) {
  if (notice.shard.value() >= tenants_.size()) {
    return;
  }
  Tenant& tenant = tenants_[notice.shard.value()];
  if (auto shrunk = tenant.on(notice, now)) {
    send(from, std::move(*shrunk));
  }
  // What was adopted is confirmed with the next renewal; soon, so that the next change can follow.
  tenant.confirm_soon(now);
}

void Node::on(NodeId from, const Borrow& borrow, Instant now) {
  SharedLimit* const limit = holding(borrow.ledger);
  if (limit == nullptr || served_.find(borrow.ledger.limit)->second.dropped || draining_) {
    send(from, Loan{.ledger = borrow.ledger, .account = borrow.account, .seq = borrow.seq});
    return;
  }
  outgoing_.push_back(limit->lend(from, borrow, book_, now));
}

// ---- turns ----

// What one more key may be is looked at often enough for no burst of new keys to go far beyond.
void Node::share_memory(Instant now) {
  if (config_.keys_max == SIZE_MAX || now.slow < next_room_) {
    return;
  }
  next_room_ = now.slow + kRoomEvery;
  std::size_t used = 0;
  for (const auto& [shard, replica] : replicas_) {
    used += replica->home() != nullptr ? replica->home()->keys() : 0;
  }
  for (const auto& [shard, replica] : replicas_) {
    replica->make_room(config_.keys_max - std::min(used, config_.keys_max));
  }
}

void Node::run_tenants(Instant now) {
  std::vector<bool> urgent(tenants_.size(), false);
  for (const std::size_t number : awake_) {
    const auto& [limit, shard] = shared_[number];
    if (limit->demand_moved(now)) {
      urgent[shard.value()] = true;
    }
  }
  for (std::uint32_t i = 0; i < tenants_.size(); ++i) {
    const ShardId shard(i);
    if (tenants_[i].expire(now)) {
      session_ended(shard);
    }
    auto message = tenants_[i].due(now, urgent[i], [&] { return demands(shard, now); });
    if (message) {
      if (tenants_[i].unanswered() > 2) {
        directory_.doubt(shard, directory_.leader(shard));
      }
      send_to_leader(shard, std::move(*message));
      hand_back(shard);
    }
  }
}

void Node::run_limits(Instant now, Actions& out) {
  std::sort(awake_.begin(), awake_.end());
  for (const std::size_t number : awake_) {
    shared_[number].limit->turn(book_, now, out);
  }
  answer_hosted(out.answers);
}

void Node::settle(Instant now, Actions& out) {
  run_hot(now);
  run_tenants(now);
  run_limits(now, out);
  run_errands(now);
  run_tills(now);
  advance_wholes(now);
  run_settlements(now);
  run_controls(now);
  run_pulls(now);
  run_placement(now);
  share_memory(now);
  std::move(ground_writes_.begin(), ground_writes_.end(), std::back_inserter(out.writes));
  ground_writes_.clear();
  for (int pass = 0; pass < kPasses; ++pass) {
    for (auto& [shard, replica] : replicas_) {
      replica->settle(now, out);
      host_passed_on(*replica, now);
      if (replica->serves()) {
        note_leader(shard, config_.id, replica->core().term().value(), now);
      } else if (replica->leader() && replica->leader() != config_.id) {
        note_leader(shard, replica->leader(), replica->core().term().value(), now);
      }
    }
    for (Send& send : out.sends) {
      outgoing_.push_back(std::move(send));
    }
    out.sends.clear();
    std::vector<Send> mine;
    for (Send& send : outgoing_) {
      (send.to == config_.id ? mine : outward_).push_back(std::move(send));
    }
    outgoing_.clear();
    if (mine.empty()) {
      break;
    }
    for (const Send& send : mine) {
      if (now.fast < send.expires) {
        dispatch(config_.id, send.message, now);
      }
    }
    run_limits(now, out);
  }
  std::erase_if(awake_, [&](std::size_t one) { return !shared_[one].limit->stays_awake(now); });
  flush(out);
}

void Node::flush(Actions& out) {
  gather(outward_);
  for (Send& send : outward_) {
    out.sends.push_back(std::move(send));
  }
  outward_.clear();
  for (RaftSend& send : deferred_) {
    out.raft.push_back(std::move(send));
  }
  deferred_.clear();
  answer_hosted(changes_.answers);
  for (Answer& answer : changes_.answers) {
    out.answers.push_back(std::move(answer));
  }
  changes_.clear();
  for (Answer& answer : out.answers) {
    const auto parked = parked_at_.find(answer.ticket);
    if (parked != parked_at_.end()) {
      if (parked->second.reserve && answer.decision.admitted()) {
        answer.decision.reservation =
            reserve(*parked->second.limit, answer.decision, parked->second.cost);
      }
      if (const LedgerId& id = parked->second.limit->ledger(); id.key != KeyHash{}) {
        count(served_.find(id.limit)->second, answer.decision, parked->second.cost);
      }
      parked_at_.erase(parked);
    }
  }
  for (Answer& answer : answers_) {
    out.answers.push_back(std::move(answer));
  }
  answers_.clear();
  out.settled.insert(out.settled.end(), settle_answers_.begin(), settle_answers_.end());
  settle_answers_.clear();
  out.removed.insert(out.removed.end(), removals_.begin(), removals_.end());
  removals_.clear();
  for (AdminAnswer& answer : admin_answers_) {
    out.admin.push_back(std::move(answer));
  }
  admin_answers_.clear();
}

TimePoint Node::next_deadline(Instant now) const {
  TimePoint next = ground_writes_.empty() ? placement_deadline() : now.slow;
  next = std::min(next, tills_.next_deadline());
  for (const auto& [shard, replica] : replicas_) {
    next = std::min(next, replica->left_out() ? now.slow : replica->next_deadline(now));
  }
  for (const Tenant& tenant : tenants_) {
    next = std::min(next, tenant.next_deadline());
  }
  for (const std::size_t number : awake_) {
    next = std::min(next, shared_[number].limit->next_deadline());
  }
  next = std::min(next, errands_due_);
  for (const auto& [ticket, settlement] : settlements_) {
    next = std::min({next, settlement.deadline, settlement.retry_at});
  }
  for (const auto& [ticket, whole] : wholes_) {
    next = std::min(next, whole.asking ? base::kNever : now.slow + base::milliseconds(2));
  }
  for (const auto& [ticket, control] : controls_) {
    next = std::min({next, control.deadline, control.retry_at});
  }
  for (const Pull& pull : pulls_) {
    next = std::min(next, now.slow + base::milliseconds(2));
    (void)pull;
  }
  return next;
}

// ---- state ----

bool Node::ready(Instant now) const {
  return !draining_ && not_ready_because(now).empty();
}

std::string Node::not_ready_because(Instant now) const {
  if (removed_) {
    return "removed from the cluster for good";
  }
  for (std::uint32_t i = 0; i < tenants_.size(); ++i) {
    if (answered_[i] == TimePoint::min() || now.slow - answered_[i] > config_.session.tau) {
      return "shard " + std::to_string(i) + " has no leader that answers";
    }
  }
  return draining_ ? "draining" : "";
}

NodeDigest Node::digest(Instant now) {
  NodeDigest digest{.load = digest_of(load_), .draining = draining_, .leaving = leaving_};
  for (const auto& [shard, replica] : replicas_) {
    if (replica->serves()) {
      digest.leads.push_back({.shard = shard, .term = replica->core().term().value()});
    }
  }
  for (const Tenant& tenant : tenants_) {
    digest.configs.push_back(tenant.config_known());
  }
  for (const auto& [limit, shard] : shared_) {
    digest.free.push_back(limit->free_report(now));
  }
  digest.free =
      starved_.worth_telling(std::move(digest.free), NodeDigest::kMaxFreeReports, now.slow);
  return digest;
}

std::vector<BucketReport> Node::buckets(Instant now) {
  std::vector<BucketReport> reports;
  for (const auto& [limit, shard] : shared_) {
    if (limit->ledger().key == KeyHash{}) {
      reports.push_back(limit->bucket_report(now));
    }
  }
  for (const auto& [name, served] : served_) {
    if (served.elsewhere && !served.shared && !served.dropped) {
      reports.push_back({.ledger = {.limit = name, .key = {}},
                         .admitted = served.admitted,
                         .refused = served.refused,
                         .offered = offered_of(served, now)});
    }
  }
  return reports;
}

void Node::check_invariants() const {
  for (const auto& [shard, replica] : replicas_) {
    replica->check_invariants();
  }
  for (const Tenant& tenant : tenants_) {
    tenant.check_invariants();
  }
  for (const auto& [limit, shard] : shared_) {
    limit->check_invariants();
  }
  tills_.check_invariants();
}

}  // namespace brigade::node
