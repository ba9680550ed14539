// The composition root of `brigade node`: one loop, one storage thread, the node, its doors.
//
// Today a node is a cluster of one: founding and gossip are not wired in yet.
// Threads: single-threaded but for the storage thread (storage_thread.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include "api/desk.h"
#include "api/redis_server.h"
#include "app/options.h"
#include "app/storage_thread.h"
#include "host/clock.h"
#include "net/deadline_timer.h"
#include "node/node.h"
#include "storage/turn.h"
#include "wire/store_codec.h"

namespace brigade::app {

class Runtime final : public api::Desk {
 public:
  explicit Runtime(NodeOptions options);
  ~Runtime() override;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Runs until stopped by a signal; the process's exit code. Prints what is wrong with a start.
  int run();

  // ---- api::Desk ----
  std::optional<node::Decision> acquire(api::Door door, const node::AcquireRequest& request,
                                        api::Waiter& waiter, std::uint64_t token) override;
  std::optional<node::Decision> acquire_all(api::Door door,
                                            std::span<const node::AcquireRequest> requests,
                                            api::Waiter& waiter, std::uint64_t token) override;
  std::optional<node::Decision> throttle(api::Door door, const node::ThrottleRequest& request,
                                         api::Waiter& waiter, std::uint64_t token) override;
  node::SettleReply settle(const node::ReservationId& id, node::Tokens actual) override;
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
  };

  base::Status open();
  base::Status open_doors();
  base::Status read_limits();
  void declare_limits();
  base::Status found(storage::Contents& contents);
  void start_node(storage::Contents contents);
  std::optional<node::Decision> delivered(std::optional<node::Decision> decision,
                                          node::Ticket ticket, api::Waiter& waiter,
                                          std::uint64_t token);
  void touch();
  void turn();
  void perform(base::Instant now);
  void announce();
  void watch_signals();
  void stop(int exit_code);

  asio::io_context io_;
  NodeOptions options_;
  mutable host::Clock clock_;
  wire::StoreCodec codec_;
  base::NodeId id_;
  std::unique_ptr<storage::Disk> disk_;
  std::unique_ptr<StorageThread> storage_;
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<net::DeadlineTimer> timer_;
  std::optional<api::RedisServer> redis_;
  std::string redis_address_ = "off";
  asio::signal_set signals_;
  node::Actions actions_;
  bool turn_posted_ = false;
  bool announced_ = false;
  std::vector<bucket::LimitSpec> limits_;  // of --limits, until they are declared
  bool stopping_ = false;
  base::TimePoint drain_deadline_ = base::kNever;
  int exit_code_ = 0;
  node::Ticket next_ticket_ = 1;
  std::unordered_map<node::Ticket, Waiting> waiting_;
  std::unordered_map<api::Waiter*, std::set<node::Ticket>> tickets_;
  std::map<node::Ticket, std::function<void(const node::AdminReply&)>> admins_;
};

}  // namespace brigade::app
