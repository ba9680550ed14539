// What operators ask: limits, overrides, transfers, status, and leaving.
#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "base/hex.h"
#include "bucket/fairness.h"
#include "node/by_hand.h"
#include "node/node.h"

namespace brigade::node {
namespace {

constexpr base::Duration kCommitPatience = base::seconds(10);
constexpr base::Duration kServePatience = base::seconds(5);
constexpr base::Duration kSurveyPatience = base::milliseconds(500);
constexpr base::Duration kPullPatience = base::seconds(2);
constexpr base::Duration kAgain = base::milliseconds(300);
constexpr base::Duration kSoon = base::milliseconds(30);

Refusal refusal(Refusal::Kind kind, std::string message) {
  return Refusal{.kind = kind, .message = std::move(message)};
}

double rate_of(Rate rate) {
  return rate.as_double();
}

}  // namespace

NodeId Node::named(const std::string& name) const {
  if (name == config_.name) {
    return config_.id;
  }
  NodeId found;  // the living one, if somebody who is gone had the name as well
  for (const auto& [id, peer] : peers_) {
    if (peer.name == name && (peer.live || !found)) {
      found = id;
    }
  }
  return found;
}

std::string Node::name_of(NodeId id) const {
  if (id == config_.id) {
    return config_.name;
  }
  const auto found = peers_.find(id);
  return found == peers_.end() ? base::text(id) : found->second.name;
}

void Node::admin(const AdminRequest& request, Ticket ticket, Instant now) {
  if (controls_.size() >= kControlMax) {
    admin_answers_.push_back(
        {.ticket = ticket,
         .reply = refusal(Refusal::Kind::kUnavailable, "too many requests at once; try again")});
    return;
  }
  on_request(ticket, Control{.request = request, .deadline = now.slow + kCommitPatience}, now);
}

void Node::on_request(Ticket ticket, Control control, Instant now) {
  const auto refused = [&](std::optional<Refusal> why) {
    if (why) {
      admin_answers_.push_back({.ticket = ticket, .reply = std::move(*why)});
    }
    return why.has_value();
  };
  const auto one_shard = [&](const std::string& limit, Command command) {
    control.waiting[TokenStore::home_of(limit, config_.shards)] = std::move(command);
  };
  const auto declared = [&](const std::string& limit) {
    const auto found = limits_.find(limit);
    return found == limits_.end() ? nullptr : &found->second.spec;
  };
  control.retry_at = now.slow;
  if (const auto* put = std::get_if<PutLimits>(&control.request)) {
    for (std::uint32_t i = 0; i < config_.shards; ++i) {
      control.waiting[ShardId(i)] = Configure{.limits = put->limits, .prune = put->prune};
    }
  } else if (const auto* erase = std::get_if<DeleteLimit>(&control.request)) {
    if (refused(mistake_in(*erase, declared(erase->name)))) {
      return;
    }
    for (std::uint32_t i = 0; i < config_.shards; ++i) {
      control.waiting[ShardId(i)] = Configure{.dropped = {erase->name}};
    }
  } else if (const auto* set = std::get_if<PutOverride>(&control.request)) {
    const Override& o = set->override_;
    if (refused(mistake_in(o, declared(o.limit), named(o.node)))) {
      return;
    }
    one_shard(o.limit, command_of(o, named(o.node)));
  } else if (const auto* clear = std::get_if<DeleteOverride>(&control.request)) {
    if (refused(mistake_in(*clear, declared(clear->limit), named(clear->node)))) {
      return;
    }
    one_shard(clear->limit, ClearOverride{.limit = clear->limit, .node = named(clear->node)});
  } else if (const auto* move = std::get_if<Transfer>(&control.request)) {
    const auto [from, to] = std::pair(named(move->from), named(move->to));
    if (refused(mistake_in(*move, declared(move->limit), from, to))) {
      return;
    }
    control.deadline = now.slow + kPullPatience + kSurveyPatience;
    send(to, PullAsk{.ticket = ticket, .limit = move->limit, .from = from, .amount = move->amount});
  } else if (const auto* drain = std::get_if<Drain>(&control.request)) {
    if (!drain->undo) {
      begin_drain(now);
    } else if (refused(end_drain(now))) {
      return;
    }
  } else if (std::holds_alternative<Leave>(control.request)) {
    if (refused(begin_leave(control, now))) {
      return;
    }
  } else if (const auto* remove = std::get_if<Remove>(&control.request)) {
    if (refused(begin_remove(control, *remove))) {
      return;
    }
  } else {
    control.deadline = now.slow + kSurveyPatience;
    for (const auto& [id, peer] : peers_) {
      if (peer.live) {
        control.silent.insert(id);
        send(id, SurveyAsk{.ticket = ticket});
      }
    }
    control.survey[config_.id] = own_survey(now);
  }
  controls_.emplace(ticket, std::move(control));
}

void Node::submit(Control& control, ShardId shard, Instant) {
  const Ticket ticket = next_ticket_++;
  control.repeated = control.repeated || control.asked.contains(shard);
  control.asked[shard] = ticket;
  send_to_leader(shard,
                 Submit{.shard = shard, .ticket = ticket, .command = control.waiting.at(shard)});
}

void Node::on(NodeId from, const Submitted& submitted, Instant now) {
  returning_.erase(submitted.ticket);
  handed_back(submitted);
  parted(from, submitted);
  for (auto& [ticket, control] : controls_) {
    const auto asked =
        std::find_if(control.asked.begin(), control.asked.end(),
                     [&](const auto& one) { return one.second == submitted.ticket; });
    if (asked == control.asked.end()) {
      continue;
    }
    const ShardId shard = asked->first;
    control.asked.erase(asked);
    if (submitted.elsewhere || submitted.unknown) {
      control.repeated = control.repeated || submitted.unknown;
      directory_.redirected(shard, from, submitted.leader);
      control.retry_at = std::min(control.retry_at, now.slow + kSoon);
      return;
    }
    control.waiting.erase(shard);
    if (submitted.outcome.applied == Applied::kRefused) {
      control.refused = refusal(Refusal::Kind::kConflict, submitted.outcome.reason.empty()
                                                              ? "refused by the token store"
                                                              : submitted.outcome.reason);
    } else if (const auto* clear = std::get_if<DeleteOverride>(&control.request);
               clear != nullptr && submitted.outcome.applied == Applied::kDuplicate &&
               !control.repeated) {
      control.refused = not_there(*clear);
    }
    control.versions[shard] = submitted.outcome.version;
    if (control.waiting.empty()) {
      control.deadline = now.slow + kServePatience;
      for (Tenant& tenant : tenants_) {
        tenant.hurry(now);
      }
      for (const auto& [id, peer] : peers_) {
        for (const auto& [done, version] : control.versions) {
          if (peer.live) {
            send(id, ConfigHint{.shard = done, .version = version});
          }
        }
      }
    }
    return;
  }
}

std::vector<std::string> Node::laggards(const Control& control) const {
  const auto behind = [&](const std::vector<Version>& serves) {
    return std::any_of(control.versions.begin(), control.versions.end(), [&](const auto& one) {
      return one.first.value() >= serves.size() || serves[one.first.value()] < one.second;
    });
  };
  std::vector<std::string> names;
  std::vector<Version> own;
  own.reserve(tenants_.size());
  for (const Tenant& tenant : tenants_) {
    own.push_back(tenant.config_known());
  }
  if (behind(own)) {
    names.push_back(config_.name);
  }
  for (const auto& [id, peer] : peers_) {
    const auto digest = digests_.find(id);
    if (peer.live && (digest == digests_.end() || behind(digest->second.configs))) {
      names.push_back(peer.name);
    }
  }
  return names;
}

std::optional<AdminReply> Node::outcome(Control& control, Instant now) {
  if (control.refused) {
    return *control.refused;
  }
  const bool over = now.slow >= control.deadline;
  const bool configures = std::holds_alternative<PutLimits>(control.request) ||
                          std::holds_alternative<DeleteLimit>(control.request);
  if (!control.waiting.empty()) {
    if (!over) {
      return std::nullopt;
    }
    return refusal(Refusal::Kind::kUnavailable,
                   "shard " + std::to_string(control.waiting.begin()->first.value()) +
                       " has no leader that commits; look at `brigade shards`");
  }
  if (configures) {
    Done done;
    for (const auto& [shard, version] : control.versions) {
      done.version = std::max(done.version, version.value());
    }
    done.laggards = laggards(control);
    if (!done.laggards.empty() && !over) {
      return std::nullopt;
    }
    return done;
  }
  if (std::holds_alternative<PutOverride>(control.request) ||
      std::holds_alternative<DeleteOverride>(control.request)) {
    return Done{};
  }
  if (std::holds_alternative<Transfer>(control.request)) {
    return over ? std::optional<AdminReply>(refusal(Refusal::Kind::kUnavailable,
                                                    "the receiving node did not answer in time"))
                : std::nullopt;
  }
  if (std::holds_alternative<Drain>(control.request)) {
    return !draining_ || drained() || over ? std::optional<AdminReply>(Done{}) : std::nullopt;
  }
  if (std::holds_alternative<Leave>(control.request)) {
    if (left()) {
      return Done{};
    }
    return over ? std::optional<AdminReply>(not_left_yet()) : std::nullopt;
  }
  if (std::holds_alternative<Remove>(control.request)) {
    removals_.push_back(control.removes);
    return Done{};
  }
  if (!control.silent.empty() && !over) {
    return std::nullopt;
  }
  if (std::holds_alternative<GetStatus>(control.request)) {
    return status(control, now);
  }
  std::vector<Override> all;
  for (const auto& [id, survey] : control.survey) {
    for (const SetOverride& o : survey.overrides) {
      all.push_back(view_of(o, name_of(o.node)));
    }
  }
  return all;
}

void Node::run_controls(Instant now) {
  for (auto it = controls_.begin(); it != controls_.end();) {
    Control& control = it->second;
    if (now.slow >= control.retry_at) {
      for (const auto& [shard, command] : control.waiting) {
        submit(control, shard, now);
      }
      control.retry_at = control.waiting.empty() ? now.slow + kSoon : now.slow + kAgain;
    }
    if (auto reply = outcome(control, now)) {
      admin_answers_.push_back({.ticket = it->first, .reply = std::move(*reply)});
      it = controls_.erase(it);
    } else {
      ++it;
    }
  }
}

// ---- surveys ----

SurveyAnswer Node::own_survey(Instant now) {
  SurveyAnswer answer{.buckets = buckets(now)};
  for (const auto& [shard, replica] : replicas_) {
    answer.replicas.push_back(replica->report(now));
    for (PoolReport& pool : replica->pools(now)) {
      answer.pools.push_back(std::move(pool));
    }
    if (replica->serves()) {
      for (const auto& [name, value] : replica->store().overrides()) {
        answer.overrides.push_back(value);
      }
    }
  }
  return answer;
}

void Node::on(NodeId from, const SurveyAsk& ask, Instant now) {
  SurveyAnswer answer = own_survey(now);
  answer.ticket = ask.ticket;
  send(from, std::move(answer));
}

void Node::on(NodeId from, const SurveyAnswer& answer) {
  const auto found = controls_.find(answer.ticket);
  if (found != controls_.end() && found->second.silent.erase(from) > 0) {
    found->second.survey[from] = answer;
    found->second.retry_at = base::TimePoint{};
  }
}

std::vector<ShardView> Node::shard_views(const Control& control) const {
  std::map<ShardId, ShardView> shards;
  for (std::uint32_t i = 0; i < config_.shards; ++i) {
    shards[ShardId(i)].id = i;
  }
  for (const auto& [id, survey] : control.survey) {
    for (const ReplicaReport& replica : survey.replicas) {
      const auto view = shards.find(replica.shard);
      if (view == shards.end()) {
        continue;
      }
      if (id == config_.id) {
        view->second.commit = replica.commit;
        view->second.applied = replica.applied;
      }
      if (view->second.voters.empty() || replica.leads) {
        view->second.voters.clear();
        view->second.outgoing.clear();
        view->second.learners.clear();
        for (const NodeId voter : replica.voters) {
          view->second.voters.push_back(name_of(voter));
        }
        for (const NodeId voter : replica.outgoing) {
          view->second.outgoing.push_back(name_of(voter));
        }
        for (const NodeId learner : replica.learners) {
          view->second.learners.push_back(name_of(learner));
        }
      }
      if (replica.leads && replica.term >= view->second.term) {
        view->second.leader = name_of(id);
        view->second.leader_since_s = std::chrono::duration<double>(replica.leader_for).count();
      }
      view->second.term = std::max(view->second.term, replica.term);
    }
  }
  std::vector<ShardView> list;
  list.reserve(shards.size());
  for (auto& [id, view] : shards) {
    list.push_back(std::move(view));
  }
  return list;
}

void Node::add_buckets(const Control& control, StatusView& view) const {
  for (const auto& [name, config] : limits_) {
    LimitView limit{.spec = config.spec,
                    .version = config.version.value(),
                    .effective_rate_per_s = rate_of(config.spec.rate),
                    .effective_burst = config.spec.burst.as_double(),
                    .shard = home_of(config).value(),
                    .pool = {.node = "pool"}};
    for (const auto& [id, survey] : control.survey) {
      for (const PoolReport& pool : survey.pools) {
        if (pool.ledger.limit == name) {
          limit.effective_rate_per_s = rate_of(pool.effective_rate);
          limit.effective_burst = pool.effective_burst.as_double();
          limit.pool.rate_per_s = rate_of(pool.rate);
          limit.pool.size = pool.size.as_double();
          limit.pool.level = pool.level.as_double();
          limit.jain = pool.jain / 1000.0;
          limit.max_min_gap = pool.max_min_gap / 1000.0;
        }
      }
      for (const BucketReport& bucket : survey.buckets) {
        if (bucket.ledger.limit == name) {
          const bucket::LendFlow flow{.lent = bucket.lent, .borrowed = bucket.borrowed};
          limit.lend_balance = std::max(limit.lend_balance, bucket::lend_imbalance(flow) / 1000.0);
          limit.buckets.push_back({.node = name_of(id),
                                   .rate_per_s = rate_of(bucket.rate),
                                   .size = bucket.size.as_double(),
                                   .level = bucket.level.as_double(),
                                   .lent_total = bucket.lent.as_double(),
                                   .borrowed_total = bucket.borrowed.as_double(),
                                   .admitted_total = bucket.admitted.as_double(),
                                   .refused_total = bucket.refused.as_double(),
                                   .offered_per_s = bucket.offered.as_double()});
        }
      }
    }
    std::sort(limit.buckets.begin(), limit.buckets.end(),
              [](const BucketView& a, const BucketView& b) { return a.node < b.node; });
    view.limits.push_back(std::move(limit));
  }
}

StatusView Node::status(const Control& control, Instant now) const {
  StatusView view{.name = config_.name,
                  .id = config_.id,
                  .region = config_.home.region,
                  .zone = config_.home.zone,
                  .uptime_s = std::chrono::duration<double>(now.slow - started_).count(),
                  .addresses = config_.addresses};
  view.members.push_back({.name = config_.name,
                          .id = config_.id,
                          .state = "alive",
                          .addresses = config_.addresses,
                          .region = config_.home.region,
                          .zone = config_.home.zone,
                          .load = load_,
                          .draining = draining_});
  for (const auto& [id, peer] : peers_) {
    MemberView member{.name = peer.name,
                      .id = id,
                      .state = peer.state,
                      .addresses = peer.addresses,
                      .region = peer.home.region,
                      .zone = peer.home.zone};
    if (const auto digest = digests_.find(id); digest != digests_.end()) {
      member.load = view_of(digest->second.load);
      member.draining = peer.live && digest->second.draining;
    }
    view.members.push_back(std::move(member));
  }
  std::sort(view.members.begin(), view.members.end(),
            [](const MemberView& a, const MemberView& b) { return a.name < b.name; });
  view.shards = shard_views(control);
  add_buckets(control, view);
  return view;
}

// ---- transfers by hand ----

void Node::on(NodeId from, const PullAsk& ask, Instant now) {
  const auto served = served_.find(ask.limit);
  if (served == served_.end() || !served->second.shared) {
    send(from, PullAnswer{.ticket = ask.ticket, .reason = "this limit holds no tokens here"});
    return;
  }
  pulls_.push_back({.asker = from, .ask = ask, .deadline = now.slow + kPullPatience});
}

void Node::on(const PullAnswer& answer) {
  const auto found = controls_.find(answer.ticket);
  if (found == controls_.end()) {
    return;
  }
  const bool nothing = answer.amount <= Tokens{};
  admin_answers_.push_back(
      {.ticket = answer.ticket,
       .reply = nothing ? AdminReply(refusal(
                              Refusal::Kind::kConflict,
                              answer.reason.empty() ? "nothing could be moved" : answer.reason))
                        : AdminReply(Transferred{.amount = answer.amount})});
  controls_.erase(found);
}

void Node::run_pulls(Instant now) {
  for (auto it = pulls_.begin(); it != pulls_.end();) {
    SharedLimit* const limit = holding({.limit = it->ask.limit, .key = {}});
    const auto done = [&](Tokens amount, std::string reason) {
      send(it->asker,
           PullAnswer{.ticket = it->ask.ticket, .amount = amount, .reason = std::move(reason)});
      it = pulls_.erase(it);
    };
    if (limit == nullptr) {
      done(Tokens{}, "this limit was deleted");
      continue;
    }
    if (!it->begun) {
      it->borrowed_before = limit->purse().totals().borrowed;
      it->begun = limit->pull(it->ask.from, it->ask.amount, now, changes_);
      if (!it->begun && now.slow >= it->deadline) {
        done(Tokens{}, "the receiving bucket has no room or no rights");
        continue;
      }
    } else if (!limit->purse().borrow()) {
      const Tokens got = limit->purse().totals().borrowed - it->borrowed_before;
      done(got, got > Tokens{} ? "" : "the lender had nothing to spare or did not answer");
      continue;
    }
    ++it;
  }
  for (Send& send : changes_.sends) {
    outgoing_.push_back(std::move(send));
  }
  changes_.sends.clear();
}

void Node::dispatch_control(NodeId from, const PeerMessage& message, Instant now) {
  if (const auto* submitted_to_us = std::get_if<Submit>(&message)) {
    to_leader(from, *submitted_to_us, now);
  } else if (const auto* submitted = std::get_if<Submitted>(&message)) {
    on(from, *submitted, now);
  } else if (const auto* ask = std::get_if<SurveyAsk>(&message)) {
    on(from, *ask, now);
  } else if (const auto* answer = std::get_if<SurveyAnswer>(&message)) {
    on(from, *answer);
  } else if (const auto* pull = std::get_if<PullAsk>(&message)) {
    on(from, *pull, now);
  } else if (const auto* pulled = std::get_if<PullAnswer>(&message)) {
    on(*pulled);
  }
}

}  // namespace brigade::node
