// The desk between the front doors and the node: whose parked request a ticket is, and what every
// decision cost. Before there is a node it says why.
//
// Threads: single-threaded (the loop's). Order: whoever owns it settles the node soon after a call
// of FrontDeskCalls, and hands the answers to deliver().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/desk.h"
#include "api/metrics.h"
#include "host/clock.h"
#include "node/node.h"

namespace brigade::app {

// What only the process knows of itself.
struct ProcessFacts {
  std::string version;
  base::ClusterId cluster;
  std::string cluster_name;
};

// What the desk asks of the loop around it.
struct FrontDeskCalls {
  std::function<void()> touch;                      // the node has something to settle now
  std::function<void(base::TimePoint now)> glance;  // levels moved: a turn before long is enough
  std::function<std::vector<api::SampledFamily>()> sampled;  // what only others can count
};

class FrontDesk final : public api::Desk {
 public:
  FrontDesk(host::Clock& clock, FrontDeskCalls calls);

  // From now on requests go to this node. Requires: it outlives this desk.
  void serve(node::Node& node, ProcessFacts facts);
  // Why there is no node yet.
  void explain(std::string reason) { reason_ = std::move(reason); }
  // What a settled turn answered.
  void deliver(std::vector<node::Answer>& answers);
  void deliver(const std::vector<node::SettleAnswer>& answers);
  void deliver(const std::vector<node::AdminAnswer>& answers);
  // Answers what was asked while there was no node.
  void deliver_early();
  // The latency of every door together since the last call.
  [[nodiscard]] api::Metrics::RequestTime take_p99() { return metrics_.take_p99(); }
  // Of deleted limits nothing is told any more.
  void forget_deleted();

  // ---- api::Desk ----
  void begin_batch() override;
  void end_batch() override { in_batch_ = false; }
  std::optional<node::Decision> acquire(api::Door door, const node::AcquireRequest& request,
                                        api::Waiter& waiter, std::uint64_t token) override;
  std::optional<node::Decision> acquire_all(api::Door door,
                                            std::span<const node::AcquireRequest> requests,
                                            api::Waiter& waiter, std::uint64_t token) override;
  std::optional<node::Decision> throttle(api::Door door, const node::ThrottleRequest& request,
                                         api::Waiter& waiter, std::uint64_t token) override;
  std::optional<node::SettleReply> settle(const node::ReservationId& id, node::Tokens actual,
                                          api::Waiter& waiter, std::uint64_t token) override;
  void abandon(api::Waiter& waiter) override;
  void admin(const node::AdminRequest& request,
             std::function<void(const node::AdminReply&)> answer) override;
  bool ready() const override;
  std::string not_ready_because() const override;
  std::string metrics() const override;

 private:
  struct Waiting {
    api::Waiter* waiter = nullptr;
    std::uint64_t token = 0;
    api::Door door = api::Door::kRedis;
    std::vector<std::string> limits;  // one per part of the request
    base::TimePoint arrived;
  };
  // A request on its way through: where it came from and when.
  struct Visit {
    api::Door door;
    api::Waiter& waiter;
    std::uint64_t token;
    node::Ticket ticket;
    base::TimePoint arrived;
    base::Instant now;
  };

  // The wait for this answer is over; nothing when nobody waits.
  std::optional<Waiting> end_wait(node::Ticket ticket);
  Visit visit(api::Door door, api::Waiter& waiter, std::uint64_t token);
  // Has the node decide, and parks the request unless it did. `limits` yields a limit's name by its
  // position.
  template <class Decide, class Limits>
  std::optional<node::Decision> decide(const Visit& visit, std::size_t parts, const Limits& limits,
                                       const Decide& by);
  template <class Limits>
  void park(const Visit& visit, std::size_t parts, const Limits& limits);
  template <class Limits>
  void count(api::Door door, const node::Decision& decision, base::Duration took, std::size_t parts,
             const Limits& limits);

  host::Clock& clock_;
  FrontDeskCalls calls_;
  node::Node* node_ = nullptr;
  ProcessFacts facts_;
  std::string reason_ = "starting";
  api::Metrics metrics_;
  node::Ticket next_ticket_ = 1;
  bool in_batch_ = false;
  base::TimePoint batch_arrived_;
  base::Instant last_;  // the clock's last reading, current within a batch
  std::unordered_map<node::Ticket, Waiting> waiting_;
  std::unordered_map<api::Waiter*, std::set<node::Ticket>> tickets_;
  std::map<node::Ticket, std::function<void(const node::AdminReply&)>> admins_;
  std::vector<node::AdminAnswer> early_;
};

}  // namespace brigade::app
