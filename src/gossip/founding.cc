#include "gossip/founding.h"

#include <algorithm>

#include "base/check.h"

namespace brigade::gossip {
namespace {

// Strangers that may speak to us before there is a cluster.
constexpr std::size_t kPeersMax = 4 * kFoundersMax;

bool includes(const Charter& charter, NodeId id) {
  return std::any_of(charter.founders.begin(), charter.founders.end(),
                     [id](const Founder& founder) { return founder.id == id; });
}

}  // namespace

Founding::Founding(FoundingConfig config, FoundingRecord record, base::Prng dice, TimePoint now)
    : config_(std::move(config)), record_(std::move(record)), dice_(dice), ask_at_(now) {
  BRIGADE_CHECK(config_.expect == 0 || std::size_t{2} * config_.expect > config_.seeds.size());
  std::sort(config_.seeds.begin(), config_.seeds.end());
  config_.seeds.erase(std::unique(config_.seeds.begin(), config_.seeds.end()), config_.seeds.end());
  founder_ = config_.seeds.empty() || is_seed(config_.self.address);
  highest_round_ = record_.promised.round;
}

// ---- inputs ----

void Founding::step(const FoundingInput& input, TimePoint now, FoundingActions& out) {
  if (const auto* received = std::get_if<FoundingReceived>(&input)) {
    const FoundingMessage& message = received->message;
    if (well_formed(message) && message.from.id != config_.self.id && meet(message, out)) {
      std::visit([&](const auto& body) { on(message.from, body, now, out); }, message.body);
    }
  } else if (const auto* persisted = std::get_if<FoundingPersisted>(&input)) {
    while (!pending_.empty() && pending_.begin()->first <= persisted->sequence) {
      const Pending pending = pending_.begin()->second;
      pending_.erase(pending_.begin());
      durable(pending, out);
    }
  }
  time_passes(now, out);
}

TimePoint Founding::next_deadline() const {
  TimePoint next = ask_at_;
  if (!member()) {
    next = std::min(next, round_ ? round_->deadline : propose_at_);
  }
  return next;
}

void Founding::time_passes(TimePoint now, FoundingActions& out) {
  if (member()) {
    // A restart: what is durable is told again, to this process for the first time.
    if (!told_ && pending_.empty() && record_.founded) {
      told_ = true;
      out.emplace_back(ClusterFounded{*record_.founded});
    }
    // One that only joined still needs somebody to learn the cluster's charter from.
    if (told_ || record_.founded) {
      ask_at_ = base::kNever;
    } else if (now >= ask_at_) {
      ask(out);
      ask_at_ = now + config_.ask_interval;
    }
    return;
  }
  if (now >= ask_at_) {
    ask(out);
    repeat_round(out);
    ask_at_ = now + config_.ask_interval;
  }
  if (round_ && now >= round_->deadline) {
    out.emplace_back(base::Note{"founding-round-lost", round_->ballot.round});
    ++lost_rounds_;
    round_.reset();
    propose_at_ = now + back_off();
  }
  consider_proposing(now, out);
}

// Remembers who spoke; false when the message must not be looked at.
bool Founding::meet(const FoundingMessage& message, FoundingActions& out) {
  const Founder& from = message.from;
  const bool refusal = std::holds_alternative<FoundingRefusal>(message.body);
  if (message.cluster_name != config_.cluster_name) {
    if (!refusal) {
      send(from.address, FoundingRefusal{FoundingObstacle::kOtherClusterName}, out);
    }
    if (is_seed(from.address)) {
      refuse(FoundingObstacle::kOtherClusterName, from.address, out);
    }
    return false;
  }
  if (from.name == config_.self.name && !member()) {
    if (!refusal) {
      send(from.address, FoundingRefusal{FoundingObstacle::kNameTaken}, out);
    }
    if (is_seed(from.address)) {
      refuse(FoundingObstacle::kNameTaken, from.address, out);
    }
    return false;
  }
  if (is_seed(from.address) || peers_.contains(from.address) || peers_.size() < kPeersMax) {
    peers_[from.address].founder = from;
  }
  return true;
}

void Founding::on(const Founder& from, const WhoAreYou&, TimePoint, FoundingActions& out) {
  send(from.address, who_i_am(), out);
}

void Founding::on(const Founder& from, const IAm& answer, TimePoint, FoundingActions& out) {
  const auto peer = peers_.find(from.address);
  if (peer != peers_.end()) {
    peer->second.votes = answer.stage != FoundingStage::kInitialised;
    peer->second.stage = answer.stage;
  }
  if (answer.stage != FoundingStage::kInitialised) {
    return;
  }
  if (member()) {
    if (!told_ && record_.joined == answer.cluster) {
      join_address_ = from.address;
      join(answer.cluster, from.address, out);
    }
    return;
  }
  // A chosen charter has our vote, if we are in it: nobody else's word is needed.
  if (record_.accepted && record_.accepted->charter.cluster == answer.cluster) {
    decide(record_.accepted->charter, out);
  } else if (answer.charter && includes(*answer.charter, config_.self.id)) {
    out.emplace_back(base::Note{"founding-strange-charter"});
  } else if (!is_seed(from.address)) {
    return;
  } else if (record_.accepted) {
    refuse(FoundingObstacle::kVotedElsewhere, from.address, out);
  } else {
    join(answer.cluster, from.address, out);
  }
}

void Founding::on(const Founder& from, const FoundingRefusal& refusal, TimePoint,
                  FoundingActions& out) {
  if (!member() && is_seed(from.address)) {
    refuse(refusal.reason, from.address, out);
  }
}

// ---- this node ----

bool Founding::member() const {
  return record_.founded.has_value() || record_.joined != ClusterId();
}

IAm Founding::who_i_am() const {
  // Only what is durable is said: a decision that is being written may still be lost.
  if (member() && pending_.empty()) {
    return record_.founded ? IAm{.stage = FoundingStage::kInitialised,
                                 .cluster = record_.founded->cluster,
                                 .charter = record_.founded}
                           : IAm{.stage = FoundingStage::kInitialised,
                                 .cluster = record_.joined,
                                 .charter = std::nullopt};
  }
  return {.stage = founder_ ? FoundingStage::kFounder : FoundingStage::kJoining,
          .cluster = {},
          .charter = std::nullopt};
}

void Founding::decide(const Charter& charter, FoundingActions& out) {
  round_.reset();
  record_.founded = charter;
  std::vector<SendFounding> then;
  for (const Founder& founder : charter.founders) {
    if (founder.id != config_.self.id) {
      then.push_back(to(founder.address, IAm{.stage = FoundingStage::kInitialised,
                                             .cluster = charter.cluster,
                                             .charter = charter}));
    }
  }
  persist(Pending::kDecision, std::move(then), out);
}

void Founding::join(ClusterId cluster, const std::string& address, FoundingActions& out) {
  if (record_.joined != ClusterId() && record_.joined != cluster) {
    refuse(FoundingObstacle::kDifferentClusters, address, out);
    return;
  }
  round_.reset();
  record_.joined = cluster;
  join_address_ = address;
  persist(Pending::kDecision, {}, out);
}

void Founding::refuse(FoundingObstacle reason, const std::string& address, FoundingActions& out) {
  if (refusals_told_.emplace(address, reason).second) {
    out.emplace_back(FoundingRefused{.reason = reason, .address = address});
  }
}

void Founding::persist(Pending pending, std::vector<SendFounding> then, FoundingActions& out) {
  if (config_.plant == FoundingPlant::kSpeaksBeforeDurable) {
    for (SendFounding& message : then) {
      out.emplace_back(std::move(message));
    }
    then.clear();
  }
  pending_.emplace(next_sequence_, pending);
  out.emplace_back(
      PersistFounding{.sequence = next_sequence_++, .record = record_, .then = std::move(then)});
}

void Founding::durable(Pending pending, FoundingActions& out) {
  switch (pending) {
    case Pending::kVote:
      return;
    case Pending::kOwnPromise:
      if (round_ && !round_->proposing && round_->ballot == record_.promised) {
        promised_by(config_.self, record_.accepted, out);
      }
      return;
    case Pending::kOwnVote:
      if (round_ && round_->proposing && record_.accepted &&
          record_.accepted->ballot == round_->ballot) {
        voted_by(config_.self.id, out);
      }
      return;
    case Pending::kDecision:
      if (!told_) {
        told_ = true;
        if (record_.founded) {
          out.emplace_back(ClusterFounded{*record_.founded});
        } else {
          out.emplace_back(JoinCluster{.cluster = record_.joined, .address = join_address_});
        }
      }
      return;
  }
}

// ---- others ----

bool Founding::is_seed(const std::string& address) const {
  return std::binary_search(config_.seeds.begin(), config_.seeds.end(), address);
}

SendFounding Founding::to(const std::string& address, decltype(FoundingMessage::body) body) const {
  return {.address = address,
          .message = {
              .from = config_.self, .cluster_name = config_.cluster_name, .body = std::move(body)}};
}

void Founding::send(const std::string& address, decltype(FoundingMessage::body) body,
                    FoundingActions& out) const {
  out.emplace_back(to(address, std::move(body)));
}

void Founding::ask(FoundingActions& out) const {
  for (const std::string& seed : config_.seeds) {
    if (seed != config_.self.address) {
      send(seed, WhoAreYou{}, out);
    }
  }
}

std::vector<std::string> Founding::unanswered() const {
  std::vector<std::string> missing;
  for (const std::string& seed : config_.seeds) {
    const auto peer = peers_.find(seed);
    if (seed != config_.self.address && (peer == peers_.end() || !peer->second.votes)) {
      missing.push_back(seed);
    }
  }
  return missing;
}

std::vector<Founder> Founding::founders() const {
  std::map<NodeId, Founder> distinct;
  distinct.emplace(config_.self.id, config_.self);
  for (const auto& [address, peer] : peers_) {
    if (peer.votes && is_seed(address)) {
      distinct.emplace(peer.founder.id, peer.founder);
    }
  }
  std::vector<Founder> all;
  all.reserve(distinct.size());
  for (auto& [id, founder] : distinct) {
    all.push_back(std::move(founder));
  }
  return all;
}

std::size_t Founding::wanted() const {
  return std::max<std::size_t>(1, config_.expect == 0 ? config_.seeds.size() : config_.expect);
}

FoundingProgress Founding::progress() const {
  FoundingProgress progress{.founder = founder_,
                            .present = {},
                            .wanted = wanted(),
                            .unanswered = unanswered(),
                            .undecided = {}};
  for (const auto& [address, peer] : peers_) {
    if (peer.stage && is_seed(address)) {
      progress.present.push_back({.seed = peer.founder, .stage = *peer.stage});
    }
  }
  if (member()) {
    progress.phase = told_ ? FoundingProgress::Phase::kDone : FoundingProgress::Phase::kPersisting;
    progress.unanswered.clear();
  } else if (round_) {
    progress.phase = round_->proposing ? FoundingProgress::Phase::kProposing
                                       : FoundingProgress::Phase::kPreparing;
    for (const auto& [id, founder] : round_->needed) {
      if (!round_->answered.contains(id)) {
        progress.undecided.push_back(founder);
      }
    }
  } else if (propose_at_ != base::kNever) {
    progress.phase = FoundingProgress::Phase::kListening;
  }
  return progress;
}

void Founding::check_invariants() const {
  BRIGADE_CHECK(!record_.founded || includes(*record_.founded, config_.self.id));
  BRIGADE_CHECK(!record_.founded || record_.joined == ClusterId());
  BRIGADE_CHECK(!round_ || !member());
  if (config_.plant == FoundingPlant::kNone) {
    BRIGADE_CHECK(!record_.accepted || record_.accepted->ballot <= record_.promised);
    BRIGADE_CHECK(!round_ || record_.promised == round_->ballot);
  }
}

}  // namespace brigade::gossip
