#include "app/runtime.h"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

#include <asio/post.hpp>
#include <spdlog/spdlog.h>

#include "api/limits_file.h"
#include "app/samples.h"
#include "base/endian.h"
#include "host/entropy.h"
#include "net/hello.h"
#include "storage/replica_turn.h"

namespace brigade::app {
namespace {

constexpr const char* kNodeFact = "node";
constexpr const char* kShardsFact = "shards";
// A drained node leaves at the latest after this long.
constexpr std::chrono::seconds kDrainPatience(3);

std::string pack(std::uint64_t value) {
  std::string bytes;
  base::append_le(bytes, value);
  return bytes;
}

std::optional<std::uint64_t> fact(const storage::Contents& contents, const char* name) {
  const auto found = contents.identity.find(name);
  if (found == contents.identity.end() || found->second.size() != sizeof(std::uint64_t)) {
    return std::nullopt;
  }
  return base::load_le<std::uint64_t>(found->second.view());
}

}  // namespace

Runtime::Runtime(NodeOptions options)
    : options_(std::move(options)),
      desk_(
          clock_, [this] { touch(); }, [this] { return sampled(); }),
      signals_(io_) {}

Runtime::~Runtime() {
  doors_.close();
  storage_.reset();
  // Handlers of what was closed end while everything they may touch is still there.
  std::error_code ignored;
  signals_.cancel(ignored);
  timer_.reset();
  io_.restart();
  io_.poll();
}

// ---- start ----

base::Status Runtime::found(storage::Contents& contents) {
  // A cluster of one: this node alone votes in every shard.
  id_ = host::draw_node_id();
  storage::Turn turn;
  turn.identity.push_back({.name = kNodeFact, .value = base::Bytes(pack(id_.value()))});
  turn.identity.push_back({.name = kShardsFact, .value = base::Bytes(pack(options_.shards))});
  for (std::uint32_t shard = 0; shard < options_.shards; ++shard) {
    raft::ConfState conf;
    conf.voters.insert(node::replica_id(id_, 0));
    turn.groups.push_back(
        {.group = base::ShardId(shard),
         .install = storage::Install{.mark = {.last = {}, .conf = conf}, .records = {}}});
    storage::GroupContents& group = contents.groups[base::ShardId(shard)];
    group.raft.snapshot.conf = conf;
  }
  return disk_->commit(turn);
}

base::Status Runtime::read_limits() {
  if (options_.limits.empty()) {
    return base::ok();
  }
  std::ifstream file(options_.limits);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) {
    return base::Error{"--limits " + options_.limits + ": cannot be read"};
  }
  auto limits = api::read_limits(text.str(), options_.limits);
  if (!limits) {
    return limits.error();
  }
  limits_ = std::move(limits).value();
  return base::ok();
}

// Only a cluster that has no limits takes them from a file.
void Runtime::declare_limits() {
  auto limits = std::exchange(limits_, {});
  if (limits.empty() || !node_->limits().empty()) {
    return;
  }
  desk_.admin(node::PutLimits{.limits = std::move(limits), .prune = false},
              [](const node::AdminReply& reply) {
                if (const auto* refusal = std::get_if<node::Refusal>(&reply)) {
                  spdlog::error("--limits: {}", refusal->message);
                } else {
                  spdlog::info("--limits: declared");
                }
              });
}

base::Status Runtime::open() {
  if (auto status = read_limits(); !status) {
    return status;
  }
  auto disk = storage::Disk::open(options_.data);
  if (!disk) {
    return disk.error();
  }
  disk_ = std::move(disk).value();
  auto contents = disk_->load();
  if (!contents) {
    return contents.error();
  }
  if (const auto known = fact(*contents, kNodeFact)) {
    id_ = base::NodeId(*known);
    options_.shards =
        static_cast<std::uint32_t>(fact(*contents, kShardsFact).value_or(options_.shards));
  } else if (auto status = found(*contents); !status) {
    return status;
  }
  if (auto status = doors_.open(io_, options_, desk_); !status) {
    return status;
  }
  start_node(std::move(contents).value());
  return base::ok();
}

void Runtime::start_node(storage::Contents contents) {
  const base::Instant now = clock_.now();
  if (options_.name.empty()) {
    options_.name = "node-" + net::text(id_).substr(0, 6);
  }
  node::NodeConfig config{.id = id_,
                          .boot = host::draw_boot(),
                          .name = options_.name,
                          .addresses = {.peer = "off",
                                        .redis = doors_.redis_address(),
                                        .http = doors_.http_address(),
                                        .envoy = "off"},
                          .home = {.region = options_.region, .zone = options_.zone},
                          .shards = options_.shards,
                          .bms_term = options_.bms_term};
  const node::StewardTiming timing = config.steward;
  node_ =
      std::make_unique<node::Node>(std::move(config), codec_, base::Prng(host::draw_seed()), now);
  for (auto& [shard, group] : contents.groups) {
    auto state = storage::replica_state(std::move(group), codec_);
    if (!state) {
      spdlog::critical("shard {}: {}", shard.value(), state.error().message);
      stop(3);
      return;
    }
    node::ReplicaConfig replica{
        .shard = shard, .shards = options_.shards, .timing = timing, .bms_term = options_.bms_term};
    replica.raft.self = node::replica_id(id_, 0);
    node_->add_replica(std::move(replica), std::move(state).value(), now);
  }
  desk_.serve(*node_,
              {.version = BRIGADE_VERSION, .cluster = {}, .cluster_name = options_.cluster});
  storage_ =
      std::make_unique<StorageThread>(io_, std::move(disk_), [this](const base::Error& error) {
        spdlog::critical("{}", error.message);
        stop(3);
      });
  timer_ = std::make_unique<net::DeadlineTimer>(io_, [this] { turn(); });
}

int Runtime::run() {
  if (auto status = open(); !status) {
    std::fprintf(stderr, "brigade node: %s\n", status.error().message.c_str());
    return 2;
  }
  watch_signals();
  touch();
  io_.run();
  return exit_code_;
}

void Runtime::watch_signals() {
  if (!stopping_) {
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
  }
  signals_.async_wait([this](std::error_code error, int) {
    if (error) {
      return;
    }
    if (stopping_) {
      stop(0);
      return;
    }
    stopping_ = true;
    spdlog::info("stopping: handing rights back");
    doors_.stop_accepting();
    node_->drain(clock_.now());
    timer_->arm(clock_.now().slow + kDrainPatience, clock_.now().slow);
    drain_deadline_ = clock_.now().slow + kDrainPatience;
    watch_signals();
    touch();
  });
}

void Runtime::stop(int exit_code) {
  exit_code_ = exit_code;
  io_.stop();
}

void Runtime::announce() {
  if (!announced_ && node_->ready(clock_.now())) {
    announced_ = true;
    declare_limits();
    std::fprintf(stderr, "ready name=%s peer=off redis=%s http=%s envoy=off\n",
                 options_.name.c_str(), doors_.redis_address().c_str(),
                 doors_.http_address().c_str());
  }
}

// ---- turns ----

void Runtime::touch() {
  if (!turn_posted_) {
    turn_posted_ = true;
    asio::post(io_, [this] { turn(); });
  }
}

void Runtime::turn() {
  turn_posted_ = false;
  const base::Instant now = clock_.now();
  actions_.clear();
  node_->settle(now, actions_);
  perform();
  doors_.flush();
  announce();
  if (stopping_ && (node_->drained() || now.slow >= drain_deadline_)) {
    stop(0);
    return;
  }
  base::TimePoint next = node_->next_deadline(now);
  if (stopping_) {
    next = std::min(next, drain_deadline_);
  }
  timer_->arm(next, clock_.now().slow);
}

void Runtime::perform() {
  if (!actions_.writes.empty()) {
    storage::Turn turn;
    for (const node::GroupWrite& write : actions_.writes) {
      storage::add(write, codec_, turn);
    }
    storage_->submit(std::move(turn), [this, writes = std::move(actions_.writes)] {
      const base::Instant now = clock_.now();
      for (const node::GroupWrite& write : writes) {
        if (!write.persists.empty()) {
          node_->persisted(write.shard, write.persists, now);
        }
      }
      touch();
    });
    actions_.writes.clear();
  }
  desk_.deliver(actions_.answers);
  desk_.deliver(actions_.admin);
}

std::vector<api::SampledFamily> Runtime::sampled() {
  return sample(*node_, clock_.now());
}

}  // namespace brigade::app
