#include "app/cluster/founder.h"

#include <utility>
#include <variant>

#include <spdlog/spdlog.h>

#include "app/cluster/facts.h"

namespace brigade::app {
namespace {

constexpr base::Duration kCharterRetry = base::seconds(1);

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
  outside_.peers.send(send.address, send.message);
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

std::string Founder::waiting_for() const {
  const gossip::FoundingProgress progress = core_.progress();
  if (!progress.unanswered.empty()) {
    return "waiting for the seeds " + join(progress.unanswered) +
           (progress.founder ? "" : " (this node is not in its own seed list: it joins)");
  }
  if (!progress.undecided.empty()) {
    std::vector<std::string> names;
    for (const gossip::Founder& founder : progress.undecided) {
      names.push_back(founder.name);
    }
    return "founding the cluster: waiting for the votes of " + join(names);
  }
  return progress.founder ? "founding the cluster" : "waiting for the seeds to found their cluster";
}

}  // namespace brigade::app
