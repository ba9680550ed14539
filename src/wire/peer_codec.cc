#include "wire/peer_codec.h"

#include "schema/peer.capnp.h"
#include "wire/batch_fields.h"
#include "wire/quantum_fields.h"
#include "wire/raft_fields.h"
#include "wire/replica_fields.h"
#include "wire/session_fields.h"
#include "wire/trade_fields.h"

namespace brigade::wire {
namespace {

struct PeerPut {
  Pen pen;
  schema::Frame::Builder to;
  void operator()(const node::OpenAsk& m) { put(pen, to.initOpenAsk(), m); }
  void operator()(const node::OpenAnswer& m) { put(pen, to.initOpenAnswer(), m); }
  void operator()(const node::Renew& m) { put(pen, to.initRenew(), m); }
  void operator()(const node::RenewAnswer& m) { put(pen, to.initRenewAnswer(), m); }
  void operator()(const node::ConfigHint& m) { put(pen, to.initConfigHint(), m); }
  void operator()(const node::LeaderHint& m) { put(pen, to.initLeaderHint(), m); }
  void operator()(const node::RightsNotice& m) { put(pen, to.initRightsNotice(), m); }
  void operator()(const node::ShrunkNotice& m) { put(pen, to.initShrunkNotice(), m); }
  void operator()(const node::Borrow& m) { put(pen, to.initBorrow(), m); }
  void operator()(const node::Loan& m) { put(pen, to.initLoan(), m); }
  void operator()(const node::Ask& m) { put(pen, to.initAsk(), m); }
  void operator()(const node::Told& m) { put(pen, to.initTold(), m); }
  void operator()(const node::Submit& m) { put(pen, to.initSubmit(), m); }
  void operator()(const node::Submitted& m) { put(pen, to.initSubmitted(), m); }
  void operator()(const node::PullAsk& m) { put(pen, to.initPullAsk(), m); }
  void operator()(const node::PullAnswer& m) { put(pen, to.initPullAnswer(), m); }
  void operator()(const node::SurveyAsk& m) { put(pen, to.initSurveyAsk(), m); }
  void operator()(const node::SurveyAnswer& m) { put(pen, to.initSurveyAnswer(), m); }
  void operator()(const node::ReplicaGone& m) { put(pen, to.initReplicaGone(), m); }
  void operator()(const node::SnapshotPart& m) { put(pen, to.initSnapshotPart(), m); }
  void operator()(const node::SnapshotHave& m) { put(pen, to.initSnapshotHave(), m); }
  void operator()(const node::SettleAsk& m) { put(pen, to.initSettleAsk(), m); }
  void operator()(const node::SettleTold& m) { put(pen, to.initSettleTold(), m); }
  void operator()(const node::QuantumAsk& m) { put(pen, to.initQuantumAsk(), m); }
  void operator()(const node::Quantum& m) { put(pen, to.initQuantum(), m); }
  void operator()(const node::AskBatch& m) { put(pen, to.initAskBatch(), m); }
  void operator()(const node::ToldBatch& m) { put(pen, to.initToldBatch(), m); }
};

void put(Pen pen, schema::Frame::Builder to, const node::PeerMessage& message) {
  std::visit(PeerPut{pen, to}, message);
}

void put(Pen pen, schema::Frame::Builder to, const ShardMessage& message) {
  auto raft = to.initRaft();
  raft.setShard(message.shard.value());
  put(pen, raft.initMessage(), message.message);
}

// Reads what `from` is into a frame that holds a T.
template <class T, class Reader>
void read(Reader from, PeerFrame& frame, Checks& checks) {
  get(from, frame.emplace<node::PeerMessage>().emplace<T>(), checks);
}

void get(schema::Frame::Reader from, PeerFrame& frame, Checks& checks) {
  using Schema = schema::Frame;
  switch (from.which()) {
    case Schema::RAFT: {
      auto& message = frame.emplace<ShardMessage>();
      message.shard = base::ShardId(from.getRaft().getShard());
      return get(from.getRaft().getMessage(), message.message, checks);
    }
    case Schema::OPEN_ASK:
      return read<node::OpenAsk>(from.getOpenAsk(), frame, checks);
    case Schema::OPEN_ANSWER:
      return read<node::OpenAnswer>(from.getOpenAnswer(), frame, checks);
    case Schema::RENEW:
      return read<node::Renew>(from.getRenew(), frame, checks);
    case Schema::RENEW_ANSWER:
      return read<node::RenewAnswer>(from.getRenewAnswer(), frame, checks);
    case Schema::CONFIG_HINT:
      return read<node::ConfigHint>(from.getConfigHint(), frame, checks);
    case Schema::LEADER_HINT:
      return read<node::LeaderHint>(from.getLeaderHint(), frame, checks);
    case Schema::RIGHTS_NOTICE:
      return read<node::RightsNotice>(from.getRightsNotice(), frame, checks);
    case Schema::SHRUNK_NOTICE:
      return read<node::ShrunkNotice>(from.getShrunkNotice(), frame, checks);
    case Schema::BORROW:
      return read<node::Borrow>(from.getBorrow(), frame, checks);
    case Schema::LOAN:
      return read<node::Loan>(from.getLoan(), frame, checks);
    case Schema::ASK:
      return read<node::Ask>(from.getAsk(), frame, checks);
    case Schema::TOLD:
      return read<node::Told>(from.getTold(), frame, checks);
    case Schema::SUBMIT:
      return read<node::Submit>(from.getSubmit(), frame, checks);
    case Schema::SUBMITTED:
      return read<node::Submitted>(from.getSubmitted(), frame, checks);
    case Schema::PULL_ASK:
      return read<node::PullAsk>(from.getPullAsk(), frame, checks);
    case Schema::PULL_ANSWER:
      return read<node::PullAnswer>(from.getPullAnswer(), frame, checks);
    case Schema::SURVEY_ASK:
      return read<node::SurveyAsk>(from.getSurveyAsk(), frame, checks);
    case Schema::SURVEY_ANSWER:
      return read<node::SurveyAnswer>(from.getSurveyAnswer(), frame, checks);
    case Schema::REPLICA_GONE:
      return read<node::ReplicaGone>(from.getReplicaGone(), frame, checks);
    case Schema::SNAPSHOT_PART:
      return read<node::SnapshotPart>(from.getSnapshotPart(), frame, checks);
    case Schema::SNAPSHOT_HAVE:
      return read<node::SnapshotHave>(from.getSnapshotHave(), frame, checks);
    case Schema::SETTLE_ASK:
      return read<node::SettleAsk>(from.getSettleAsk(), frame, checks);
    case Schema::SETTLE_TOLD:
      return read<node::SettleTold>(from.getSettleTold(), frame, checks);
    case Schema::QUANTUM_ASK:
      return read<node::QuantumAsk>(from.getQuantumAsk(), frame, checks);
    case Schema::QUANTUM:
      return read<node::Quantum>(from.getQuantum(), frame, checks);
    case Schema::ASK_BATCH:
      return read<node::AskBatch>(from.getAskBatch(), frame, checks);
    case Schema::TOLD_BATCH:
      return read<node::ToldBatch>(from.getToldBatch(), frame, checks);
  }
  checks.refuse_unknown("kind of message", from.which());
}

}  // namespace

std::string encode(const node::PeerMessage& message) {
  capnp::MallocMessageBuilder builder;
  put(Pen(), builder.initRoot<schema::Frame>(), message);
  return to_bytes(builder, Packing::kPlain);
}

std::string encode(const ShardMessage& message) {
  capnp::MallocMessageBuilder builder;
  put(Pen(), builder.initRoot<schema::Frame>(), message);
  return to_bytes(builder, Packing::kPlain);
}

base::Result<PeerFrame> decode_frame(std::string_view bytes) {
  PeerFrame frame;
  const base::Status status =
      from_bytes(bytes, Packing::kPlain, [&frame](capnp::MessageReader& message, Checks& checks) {
        get(message.getRoot<schema::Frame>(), frame, checks);
      });
  if (!status) {
    return status.error();
  }
  return frame;
}

}  // namespace brigade::wire
