// What arrives from peers: frames, and a node that is told what they say. A peer that is no friend
// may be wrong about everything; the node must not end.
#include "base/endian.h"
#include "fuzz/bytes.h"
#include "node/node.h"
#include "wire/peer_codec.h"
#include "wire/store_codec.h"

using namespace brigade;

namespace {

constexpr base::ShardId kShard{0};

raft::ReplicaId replica_of(std::uint64_t node) {
  return node::replica_id(base::NodeId(node), 0);
}

// A voter of a shard of three; the other two are the input.
class World {
 public:
  World()
      : node_({.id = base::NodeId(1), .boot = {1, 1}, .name = "n1"}, codec_, base::Prng(1), now_) {
    node::ReplicaConfig config{.shard = kShard};
    config.raft.self = replica_of(1);
    node::ReplicaState state;
    state.raft.snapshot.conf.voters = {replica_of(1), replica_of(2), replica_of(3)};
    node_.add_replica(std::move(config), std::move(state), now_);
    for (const std::uint64_t peer : {std::uint64_t{2}, std::uint64_t{3}}) {
      node_.seen({.id = base::NodeId(peer),
                  .name = "n" + std::to_string(peer),
                  .state = "alive",
                  .live = true},
                 now_);
    }
  }

  void pass(base::Duration time) { now_ = now_ + time; }

  void receive(base::NodeId from, const std::string& bytes) {
    const auto frame = wire::decode_frame(bytes);
    if (!frame) {
      return;
    }
    if (const auto* message = std::get_if<node::PeerMessage>(&*frame)) {
      node_.received(from, *message, now_);
    } else if (const auto& raft = std::get<wire::ShardMessage>(*frame);
               node::node_of(raft.message.from) == from) {
      node_.received(raft.shard, raft.message, now_);
    }
  }

  void settle() {
    for (int turn = 0; turn < 8; ++turn) {
      actions_.clear();
      node_.settle(now_, actions_);
      for (node::GroupWrite& write : actions_.writes) {
        node_.persisted(std::move(write), now_);
      }
    }
  }

 private:
  base::Instant now_{.slow = base::TimePoint(base::seconds(100)),
                     .fast = base::TimePoint(base::seconds(100))};
  wire::StoreCodec codec_;
  node::Node node_;
  node::Actions actions_;
};

}  // namespace

// (from: u8, time: u8, size: u16, frame)*
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  World world;
  std::string_view rest = fuzz::text(data, size);
  while (rest.size() >= 4) {
    const auto from = static_cast<std::uint8_t>(rest[0]);
    const auto time = static_cast<std::uint8_t>(rest[1]);
    const std::size_t length =
        std::min<std::size_t>(base::load_le<std::uint16_t>(rest, 2), rest.size() - 4);
    world.pass(base::milliseconds(time * time / 8));
    world.receive(base::NodeId(2 + from % 3), std::string(rest.substr(4, length)));
    world.settle();
    rest.remove_prefix(4 + length);
  }
  return 0;
}
