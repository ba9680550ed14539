// The composition root of `brigade node`: one loop, one storage thread; sockets, founding,
// membership, the node and its doors.
//
// A new data directory finds or founds its cluster first (Founder); only a member has a node.
// Threads: single-threaded but for the storage thread (storage_thread.h).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include "app/cluster/facts.h"
#include "app/cluster/founder.h"
#include "app/cluster/membership.h"
#include "app/cluster/peers.h"
#include "app/doors.h"
#include "app/front_desk.h"
#include "app/options.h"
#include "app/storage_thread.h"
#include "host/clock.h"
#include "host/load.h"
#include "net/deadline_timer.h"
#include "node/node.h"
#include "storage/turn.h"
#include "wire/store_codec.h"

namespace brigade::app {

class Runtime final : public PeerInbox {
 public:
  explicit Runtime(NodeOptions options);
  ~Runtime() override;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Runs until stopped by a signal; the process's exit code. Prints what is wrong with a start.
  int run();

 private:
  // ---- start (runtime_start.cc) ----
  base::Status open();
  base::Status read_limits();
  base::Status identify(storage::Disk& disk, const storage::Contents& contents);
  base::Status open_peers();
  std::vector<std::string> canonical_seeds();
  [[nodiscard]] ClusterSettings wished_settings() const;
  void compare_settings(const ClusterSettings& founded) const;
  void begin_founding();
  // Stores that this node is a member, then starts the node; `groups` are its shards' first states.
  void become_member(const gossip::Charter& charter, std::vector<storage::GroupTurn> groups);
  void start_node(const gossip::Charter& charter,
                  std::map<base::ShardId, storage::GroupContents> groups);
  void start_membership(const gossip::Charter& charter);
  void declare_limits();
  void announce();
  void fail(const std::string& problem);

  // ---- PeerInbox ----
  void received(base::NodeId from, const node::PeerMessage& message) override;
  void received(base::ShardId shard, const raft::Message& message) override;
  void received(const gossip::FoundingMessage& message) override;
  void received(const std::string& from, gossip::Datagram datagram) override;
  void requested(gossip::StreamMessage message, net::Answer answer) override;
  void doubled(const std::string& problem, bool sure) override;
  std::optional<gossip::Charter> charter() override { return facts_.charter; }

  void touch();
  void glance(base::TimePoint now);
  void turn();
  void wake_parts();
  void publish(base::Instant now);
  void perform();
  [[nodiscard]] base::TimePoint next_deadline(base::Instant now) const;
  void watch_signals();
  void begin_stop();
  // Stops if the cluster removed this node, or it has left for good.
  void tell_drain();
  void heed_cluster();
  // Left: the directory says so before the process ends.
  void end_for_good();
  [[nodiscard]] bool may_stop(base::TimePoint now);
  void stop(int exit_code);
  std::vector<api::SampledFamily> sampled();

  asio::io_context io_{1};  // one thread runs it
  NodeOptions options_;
  host::Clock clock_;
  wire::StoreCodec codec_;
  host::LoadSampler load_;
  base::Boot boot_;
  NodeFacts facts_;
  std::map<base::ShardId, node::ReplicaGround> grounds_;  // as found at the start
  std::string advertised_;
  std::size_t files_ = 0;  // that this process may have open
  FrontDesk desk_;
  Doors doors_;
  std::unique_ptr<StorageThread> storage_;
  std::unique_ptr<Peers> peers_;
  std::unique_ptr<Founder> founder_;
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<Membership> membership_;
  std::unique_ptr<net::DeadlineTimer> timer_;
  asio::signal_set signals_;
  node::Actions actions_;
  bool turn_posted_ = false;
  base::TimePoint turned_at_{};  // when the last turn began
  bool trailing_ = false;        // a turn comes within kTrailing
  bool announced_ = false;
  std::vector<bucket::LimitSpec> limits_;  // of --limits, until they are declared
  base::TimePoint due_ = base::kNever;     // when the next turn is due at the latest
  base::Duration waited_{0};               // how late a turn began, at worst since the last publish
  base::TimePoint publish_at_;             // when load and digest are taken next
  base::TimePoint explain_at_;             // when what is waited for is logged next
  bool stopping_ = false;
  base::TimePoint stop_deadline_ = base::kNever;
  bool leaving_ = false;
  bool ends_for_good_ = false;
  enum class Drain : std::uint8_t { kNo, kUnderWay, kDone };
  Drain drain_told_ = Drain::kNo;  // in the log
  bool closed_ = false;            // being destroyed: handlers that are left do nothing
  int exit_code_ = 0;
  std::optional<base::TimePoint> doubled_since_;  // another process has this node's id, others say
  base::TimePoint doubled_told_at_{};             // that is logged again
};

}  // namespace brigade::app
