#include "app/cluster/founder.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <spdlog/spdlog.h>

#include "app/cluster/facts.h"

namespace brigade::app {
namespace {

constexpr base::Duration kCharterRetry = base::seconds(1);
// Messages in a row that a seed took without ever answering: it cannot, then.
constexpr int kArrivedForSure = 3;

std::string join(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) {
    all += (all.empty() ? "" : ", ") + text;
  }
  return all;
}

}  // namespace

Founder::Founder(Outside outside, gossip::FoundingConfig config, gossip::FoundingRecord record,
                 base::Prng dice)
    : outside_(std::move(outside)),
      config_(config),
      core_(std::move(config), std::move(record), dice, outside_.clock.now().slow) {}

void Founder::step(const gossip::FoundingInput& input) {
  core_.step(input, outside_.clock.now().slow, actions_);
  for (gossip::FoundingAction& action : actions_) {
    perform(action);
  }
  actions_.clear();
  outside_.touch();
}

void Founder::received(const gossip::FoundingMessage& message) {
  step(gossip::FoundingReceived{message});
}

void Founder::wake() {
  if (outside_.clock.now().slow >= core_.next_deadline()) {
    step(gossip::FoundingTimeout{});
  }
  if (outside_.clock.now().slow >= join_at_) {
    fetch_charter();
  }
}

void Founder::perform(gossip::FoundingAction& action) {
  if (const auto* message = std::get_if<gossip::SendFounding>(&action)) {
    send(*message);
  } else if (auto* record = std::get_if<gossip::PersistFounding>(&action)) {
    persist(*record);
  } else if (const auto* founded = std::get_if<gossip::ClusterFounded>(&action)) {
    outside_.founded(founded->charter);
  } else if (const auto* join = std::get_if<gossip::JoinCluster>(&action)) {
    join_ = *join;
    fetch_charter();
  } else if (const auto* refused = std::get_if<gossip::FoundingRefused>(&action)) {
    refuse(*refused);
  } else if (const auto* note = std::get_if<base::Note>(&action)) {
    spdlog::debug("founding: {} {} {} {}", note->event, note->a, note->b, note->c);
  }
}

void Founder::send(const gossip::SendFounding& send) {
  outside_.peers.send(send.address, send.message,
                      [this, alive = std::weak_ptr<int>(alive_),
                       address = send.address](const base::Result<net::Exchanged>& answer) {
                        if (!alive.expired()) {
                          heard(address, answer);
                        }
                      });
}

void Founder::heard(const std::string& address, const base::Result<net::Exchanged>& answer) {
  if (std::find(config_.seeds.begin(), config_.seeds.end(), address) == config_.seeds.end()) {
    return;
  }
  Heard& one = heard_[address];
  if (!answer) {
    spdlog::debug("seed {}: {}", address, answer.error().message);
    one = {.problem = answer.error().message};
    return;
  }
  ++one.arrived;
  const net::Hello& peer = answer->peer;
  one.problem = peer.advertised == address
                    ? ""
                    : peer.name + " at " + address + " tells others that it is " + peer.advertised +
                          ": name it so in --seed, or start it with --advertise " + address;
}

void Founder::persist(gossip::PersistFounding& persist) {
  storage::Turn turn;
  turn.identity = voted(persist.record);
  outside_.storage.submit(std::move(turn),
                          [this, alive = std::weak_ptr<int>(alive_), sequence = persist.sequence,
                           then = std::move(persist.then)] {
                            if (alive.expired()) {
                              return;
                            }
                            for (const gossip::SendFounding& message : then) {
                              send(message);
                            }
                            step(gossip::FoundingPersisted{sequence});
                          });
}

void Founder::refuse(const gossip::FoundingRefused& refusal) {
  const std::string& at = refusal.address;
  switch (refusal.reason) {
    case gossip::FoundingObstacle::kOtherClusterName:
      return outside_.refused("the seed " + at + " belongs to a cluster of another name than \"" +
                                  config_.cluster_name +
                                  "\": give all nodes of a cluster the same --cluster",
                              true);
    case gossip::FoundingObstacle::kNameTaken:
      return outside_.refused("the name " + config_.self.name + " is taken by the node at " + at +
                                  ": choose another --name",
                              true);
    case gossip::FoundingObstacle::kTooFewFounders:
      return outside_.refused(
          "all seeds answered, but some are the same node: there are fewer than --expect founders",
          true);
    case gossip::FoundingObstacle::kDifferentClusters:
      return outside_.refused("the seeds belong to different clusters (" + at +
                                  " to another one): name seeds of one cluster only",
                              true);
    case gossip::FoundingObstacle::kVotedElsewhere:
      return outside_.refused("this node voted for a cluster with others, but the seed " + at +
                                  " belongs to another one: wait for the others, or start with an "
                                  "empty --data directory to join that one",
                              false);
  }
}

void Founder::fetch_charter() {
  join_at_ = base::kNever;
  outside_.peers.ask_charter(join_.address, [this, alive = std::weak_ptr<int>(alive_)](
                                                const base::Result<gossip::Charter>& charter) {
    if (alive.expired()) {
      return;
    }
    if (charter && charter->cluster == join_.cluster && decode_settings(charter->settings.view())) {
      outside_.joined(*charter);
      return;
    }
    spdlog::warn("{} did not tell its charter: {}", join_.address,
                 charter ? "it belongs to another cluster" : charter.error().message);
    join_at_ = outside_.clock.now().slow + kCharterRetry;
    outside_.touch();
  });
}

// Of a seed that is missed.
std::string Founder::about(const std::string& seed) const {
  const auto found = heard_.find(seed);
  if (found == heard_.end()) {
    return seed + " (no answer yet)";
  }
  if (!found->second.problem.empty()) {
    return found->second.problem;
  }
  return found->second.arrived < kArrivedForSure
             ? seed
             : seed + " (reached, but nothing comes from there: can it reach this node at " +
                   config_.self.address + "? see --advertise)";
}

std::string Founder::waiting_to_found(const gossip::FoundingProgress& progress) const {
  std::vector<std::string> here{config_.self.name};
  std::vector<std::string> missing;
  missing.reserve(progress.unanswered.size());
  for (const std::string& seed : progress.unanswered) {
    missing.push_back(about(seed));
  }
  for (const auto& [seed, stage] : progress.present) {
    if (stage != gossip::FoundingStage::kInitialised) {
      here.push_back(seed.name);
    }
  }
  return "waiting to found a cluster: " + std::to_string(here.size()) + " of " +
         std::to_string(progress.wanted) + " founders here (" + join(here) +
         "), missing: " + join(missing);
}

std::string Founder::waiting_to_join(const gossip::FoundingProgress& progress) const {
  std::vector<std::string> seeds;
  seeds.reserve(progress.unanswered.size() + progress.present.size());
  for (const std::string& seed : progress.unanswered) {
    seeds.push_back(about(seed));
  }
  for (const auto& [seed, stage] : progress.present) {
    if (stage != gossip::FoundingStage::kInitialised) {
      const bool founds = stage == gossip::FoundingStage::kFounder;
      seeds.push_back(seed.name + " at " + seed.address +
                      (founds ? " (waits for the other founders)"
                              : " (is not in its own seed list either: who founds the cluster "
                                "must be)"));
    }
  }
  return "waiting to join (" + config_.self.address +
         ", this node, is not in its own seed list) a cluster of: " + join(seeds);
}

std::string Founder::waiting_for() const {
  const gossip::FoundingProgress progress = core_.progress();
  const bool decided = progress.phase == gossip::FoundingProgress::Phase::kDone ||
                       progress.phase == gossip::FoundingProgress::Phase::kPersisting;
  if (!decided && !progress.founder) {
    return waiting_to_join(progress);
  }
  if (!progress.unanswered.empty() && progress.undecided.empty()) {
    return waiting_to_found(progress);
  }
  if (!progress.undecided.empty()) {
    std::vector<std::string> names;
    names.reserve(progress.undecided.size());
    for (const gossip::Founder& founder : progress.undecided) {
      names.push_back(founder.name);
    }
    return "founding the cluster: waiting for the votes of " + join(names);
  }
  return progress.founder ? "founding the cluster" : "joining the cluster of " + join_.address;
}

}  // namespace brigade::app
