#include "app/runtime.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iterator>
#include <utility>

#include <asio/post.hpp>
#include <spdlog/spdlog.h>

#include "app/cluster/samples.h"
#include "app/samples.h"
#include "storage/replica_turn.h"

namespace brigade::app {
namespace {

// How long a stop may take: handing rights back and moving leaderships, then saying goodbye.
constexpr base::Duration kDrainPatience = base::seconds(3);
constexpr base::Duration kLeavePatience = base::milliseconds(2500);
// While decisions need nobody, the node looks at demand and levels this often: below the 2 ms ahead
// that it borrows for (semantics 5). When no further request comes, there is no hurry.
constexpr base::Duration kGlance = base::milliseconds(1);
constexpr base::Duration kTrailing = base::milliseconds(10);
// How often a node measures its load and publishes its digest.
constexpr base::Duration kPublishEvery = base::seconds(1);

// Longer than net::MeshLimits::silence: by then nobody takes this node's last process for alive.
constexpr base::Duration kDoubledFor = base::seconds(4);
constexpr base::Duration kDoubledAgain = base::seconds(60);

double in_ms(base::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

Runtime::Runtime(NodeOptions options)
    : options_(std::move(options)),
      desk_(clock_, {.touch = [this] { touch(); },
                     .glance = [this](base::TimePoint now) { glance(now); },
                     .sampled = [this] { return sampled(); }}),
      signals_(io_) {}

Runtime::~Runtime() {
  closed_ = true;
  doors_.close();
  membership_.reset();
  founder_.reset();
  storage_.reset();
  peers_.reset();
  // Handlers of what was closed end while everything they may touch is still there.
  std::error_code ignored;
  signals_.cancel(ignored);
  timer_.reset();
  io_.restart();
  io_.poll();
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

// ---- stop ----

void Runtime::watch_signals() {
  if (!stopping_) {
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
  }
  signals_.async_wait([this](std::error_code error, int) {
    if (error) {
      return;
    }
    if (stopping_ || !node_) {
      stop(0);
      return;
    }
    begin_stop();
    watch_signals();
  });
}

void Runtime::begin_stop() {
  stopping_ = true;
  spdlog::info("stopping: handing rights back");
  const base::Instant now = clock_.now();
  doors_.stop_accepting();
  node_->drain(now);
  stop_deadline_ = now.slow + kDrainPatience;
  touch();
}

void Runtime::tell_drain() {
  const Drain drain = !node_->draining() ? Drain::kNo
                      : node_->drained() ? Drain::kDone
                                         : Drain::kUnderWay;
  if (drain == std::exchange(drain_told_, drain)) {
    return;
  }
  publish_at_ = base::TimePoint{};  // the others shall know before somebody looks
  if (node_->leaving()) {
    return;
  }
  if (drain == Drain::kNo) {
    spdlog::info("drained no longer: this node takes part again");
  } else if (drain == Drain::kDone) {
    spdlog::info("drained: until `brigade drain --undo` or a restart this node admits nothing");
  } else {
    spdlog::info("draining as asked: handing rights back, moving leaderships");
  }
}

void Runtime::heed_cluster() {
  if (!node_ || stopping_) {
    return;
  }
  tell_drain();
  if (node_->removed()) {
    std::fprintf(stderr,
                 "brigade node: this node (%s) was removed from the cluster for good; its data in "
                 "%s is left as it is: start it with an empty --data directory to join anew\n",
                 options_.name.c_str(), options_.data.c_str());
    stopping_ = true;
    exit_code_ = 2;                      // to start it again cannot work either
    stop_deadline_ = clock_.now().slow;  // it has nothing to hand back
  } else if (node_->left()) {
    end_for_good();
  }
}

void Runtime::end_for_good() {
  if (std::exchange(ends_for_good_, true)) {
    return;
  }
  storage::Turn turn;
  turn.identity = left_for_good();
  storage_->submit(std::move(turn), [this] {
    spdlog::info("left the cluster for good: nothing of it is stored here any more");
    if (!stopping_) {
      begin_stop();
    }
  });
}

bool Runtime::may_stop(base::TimePoint now) {
  if (!stopping_) {
    return false;
  }
  if (!leaving_ && (node_->drained() || now >= stop_deadline_)) {
    leaving_ = true;
    stop_deadline_ = now + kLeavePatience;
    membership_->leave();
  }
  return leaving_ && (membership_->left() || now >= stop_deadline_);
}

void Runtime::stop(int exit_code) {
  exit_code_ = exit_code;
  io_.stop();
}

// ---- inbox ----

void Runtime::received(base::NodeId from, const node::PeerMessage& message) {
  if (node_) {
    node_->received(from, message, clock_.now());
    touch();
  }
}

void Runtime::received(base::ShardId shard, const raft::Message& message) {
  if (node_) {
    node_->received(shard, message, clock_.now());
    touch();
  }
}

void Runtime::received(const gossip::FoundingMessage& message) {
  if (founder_) {
    founder_->received(message);
  }
}

void Runtime::received(const std::string& from, gossip::Datagram datagram) {
  if (membership_) {
    membership_->received(from, std::move(datagram));
  }
}

void Runtime::requested(gossip::StreamMessage message, net::Answer answer) {
  if (membership_) {
    membership_->requested(std::move(message), std::move(answer));
  }
}

// Nobody may end a node that is at work by saying that he is the same one. The one that comes
// second ends; if only others say so, it gives them time to notice that its own last process is
// dead.
void Runtime::doubled(const std::string& problem, bool sure) {
  const base::TimePoint now = clock_.now().slow;
  if (announced_) {
    if (now >= doubled_told_at_) {
      doubled_told_at_ = now + kDoubledAgain;
      spdlog::error("{}", problem);
    }
    return;
  }
  if (!doubled_since_) {
    doubled_since_ = now;
    spdlog::warn("{}", problem);
  }
  if (sure || now - *doubled_since_ >= kDoubledFor) {
    fail(problem);
  }
}

// ---- turns ----

void Runtime::touch() {
  if (!turn_posted_) {
    turn_posted_ = true;
    asio::post(io_, [this] { turn(); });
  }
}

void Runtime::glance(base::TimePoint now) {
  if (turn_posted_) {
    return;
  }
  if (now - turned_at_ >= kGlance) {
    touch();
  } else if (!trailing_) {
    trailing_ = true;
    timer_->hasten(now + kTrailing, now);
  }
}

void Runtime::turn() {
  if (closed_) {
    return;
  }
  trailing_ = false;
  wake_parts();
  turn_posted_ = false;
  desk_.deliver_early();
  const base::Instant now = clock_.now();
  waited_ = std::max(waited_, now.slow - due_);
  turned_at_ = now.slow;
  if (node_) {
    publish(now);
    actions_.clear();
    node_->settle(now, actions_);
    perform();
  }
  doors_.flush();
  announce();
  heed_cluster();
  if (may_stop(now.slow)) {
    stop(exit_code_);
    return;
  }
  const base::TimePoint done = clock_.now().slow;
  due_ = std::max(next_deadline(now), done);
  timer_->arm(due_, done);
}

void Runtime::wake_parts() {
  founder_->wake();
  if (membership_) {
    membership_->wake();
  }
}

base::TimePoint Runtime::next_deadline(base::Instant now) const {
  base::TimePoint next = std::min(founder_->next_deadline(), stop_deadline_);
  if (membership_) {
    next = std::min({next, membership_->next_deadline(), publish_at_});
  }
  if (node_) {
    next = std::min(next, node_->next_deadline(now));
  }
  return announced_ ? next : std::min(next, explain_at_);
}

void Runtime::publish(base::Instant now) {
  if (now.slow < publish_at_) {
    return;
  }
  publish_at_ = now.slow + kPublishEvery;
  const host::LoadReading load = load_.sample(now.slow);
  const api::Metrics::RequestTime time = desk_.take_p99();
  desk_.forget_deleted();
  node_->loaded({.cpu = load.cpu,
                 .memory_bytes = load.memory_bytes,
                 .memory_limit_bytes = load.memory_limit_bytes,
                 .net_in_bps = load.net_in_bps,
                 .net_out_bps = load.net_out_bps,
                 .request_ms_p99 = in_ms(time.all),
                 .redis_ms_p99 = in_ms(time.redis),
                 .http_ms_p99 = in_ms(time.http),
                 .queue_ms = in_ms(std::exchange(waited_, base::Duration::zero()))},
                now);
  node_->wall_clock(host::Clock::wall_ms());
  membership_->publish(node_->digest(now));
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
          node_->persisted(write, now);
        }
      }
      touch();
    });
    actions_.writes.clear();
  }
  for (const node::Send& send : actions_.sends) {
    peers_->send(send, clock_.now().fast);
  }
  for (const node::RaftSend& send : actions_.raft) {
    peers_->send(send);
  }
  desk_.deliver(actions_.answers);
  desk_.deliver(actions_.settled);
  desk_.deliver(actions_.admin);
  for (const base::NodeId removed : actions_.removed) {
    membership_->removed(removed);
  }
}

std::vector<api::SampledFamily> Runtime::sampled() {
  const base::Instant now = clock_.now();
  const bool ready = node_ && node_->ready(now);
  std::vector<api::SampledFamily> all{{.name = "brigade_ready",
                                       .help = "1 when /readyz says 200.",
                                       .counter = false,
                                       .samples = {{.labels = {}, .value = ready ? 1.0 : 0.0}}}};
  const auto add = [&all](std::vector<api::SampledFamily> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
  };
  if (node_) {
    add(sample(*node_, now));
  }
  if (membership_) {
    add(sample(*membership_));
  }
  add(sample(*peers_));
  add(sample(doors_));
  return all;
}

}  // namespace brigade::app
