// The composition root of `brigade node`: one loop, one storage thread, the node, its doors.
//
// Today a node is a cluster of one: founding and gossip are not wired in yet.
// Threads: single-threaded but for the storage thread (storage_thread.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include "app/doors.h"
#include "app/front_desk.h"
#include "app/options.h"
#include "app/storage_thread.h"
#include "host/clock.h"
#include "net/deadline_timer.h"
#include "node/node.h"
#include "storage/turn.h"
#include "wire/store_codec.h"

namespace brigade::app {

class Runtime {
 public:
  explicit Runtime(NodeOptions options);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Runs until stopped by a signal; the process's exit code. Prints what is wrong with a start.
  int run();

 private:
  base::Status open();
  base::Status read_limits();
  void declare_limits();
  base::Status found(storage::Contents& contents);
  void start_node(storage::Contents contents);
  std::vector<api::SampledFamily> sampled();
  void touch();
  void turn();
  void perform();
  void announce();
  void watch_signals();
  void stop(int exit_code);

  asio::io_context io_;
  NodeOptions options_;
  host::Clock clock_;
  wire::StoreCodec codec_;
  base::NodeId id_;
  std::unique_ptr<storage::Disk> disk_;
  std::unique_ptr<StorageThread> storage_;
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<net::DeadlineTimer> timer_;
  FrontDesk desk_;
  Doors doors_;
  asio::signal_set signals_;
  node::Actions actions_;
  bool turn_posted_ = false;
  bool announced_ = false;
  std::vector<bucket::LimitSpec> limits_;  // of --limits, until they are declared
  bool stopping_ = false;
  base::TimePoint drain_deadline_ = base::kNever;
  int exit_code_ = 0;
};

}  // namespace brigade::app
