#include "wire/gossip_codec.h"

#include <variant>

#include "schema/gossip.capnp.h"
#include "wire/common_fields.h"

namespace brigade::wire {

// Not in an unnamed namespace, because there the templates of envelope.h would not find these.

// ---- news ----

static void put_alive(schema::Update::Builder to, const gossip::Alive& news) {
  to.setState(schema::MemberState::ALIVE);
  to.setName(text(news.name));
  to.setAddress(text(news.address));
  if (!news.meta.empty()) {
    to.setMeta(blob(news.meta.view()));
  }
}

struct NewsPut {
  schema::Update::Builder to;
  void operator()(const gossip::Alive& news) { put_alive(to, news); }
  void operator()(const gossip::Suspect& news) {
    to.setState(schema::MemberState::SUSPECT);
    to.setAccuser(news.accuser.value());
  }
  void operator()(const gossip::Dead& news) {
    to.setState(schema::MemberState::DEAD);
    to.setAccuser(news.accuser.value());
  }
  void operator()(const gossip::Left&) { to.setState(schema::MemberState::LEFT); }
};

static void put(Pen, schema::Update::Builder to, const gossip::Update& update) {
  std::visit(
      [&to](const auto& news) {
        to.setId(news.id.value());
        to.setIncarnation(news.incarnation.value());
        NewsPut{to}(news);
      },
      update);
}

static void get(schema::Update::Reader from, gossip::Update& update, Checks& checks) {
  const base::NodeId id(from.getId());
  const gossip::Incarnation incarnation(from.getIncarnation());
  const base::NodeId accuser(from.getAccuser());
  switch (checks.choice(from.getState(), gossip::MemberState::kLeft, "member state")) {
    case gossip::MemberState::kAlive:
      update = gossip::Alive{.id = id,
                             .name = to_text(from.getName()),
                             .address = to_text(from.getAddress()),
                             .meta = base::Bytes(to_blob(from.getMeta())),
                             .incarnation = incarnation};
      return;
    case gossip::MemberState::kSuspect:
      update = gossip::Suspect{.id = id, .incarnation = incarnation, .accuser = accuser};
      return;
    case gossip::MemberState::kDead:
      update = gossip::Dead{.id = id, .incarnation = incarnation, .accuser = accuser};
      return;
    case gossip::MemberState::kLeft:
      update = gossip::Left{.id = id, .incarnation = incarnation};
      return;
  }
}

static void put(Pen, schema::Digest::Builder to, const gossip::Digest& digest) {
  to.setId(digest.id.value());
  to.setIncarnation(digest.incarnation.value());
  to.setVersion(digest.version);
  to.setContent(blob(digest.content.view()));
}
static void get(schema::Digest::Reader from, gossip::Digest& digest, Checks&) {
  digest.id = base::NodeId(from.getId());
  digest.incarnation = gossip::Incarnation(from.getIncarnation());
  digest.version = from.getVersion();
  digest.content = base::Bytes(to_blob(from.getContent()));
}

// ---- datagrams ----

struct DatagramBodyPut {
  using Kind = schema::Datagram::Kind;
  schema::Datagram::Builder to;
  void operator()(const gossip::Gossip&) { to.setKind(Kind::GOSSIP); }
  void operator()(const gossip::Ping& body) {
    to.setKind(Kind::PING);
    to.setSeq(body.seq.value());
    to.setTarget(body.target.value());
  }
  void operator()(const gossip::Ack& body) {
    to.setKind(Kind::ACK);
    to.setSeq(body.seq.value());
  }
  void operator()(const gossip::PingRequest& body) {
    to.setKind(Kind::PING_REQUEST);
    to.setSeq(body.seq.value());
    to.setTarget(body.target.value());
    to.setAddress(text(body.address));
  }
  void operator()(const gossip::Nack& body) {
    to.setKind(Kind::NACK);
    to.setSeq(body.seq.value());
  }
};

static void put(Pen pen, schema::Datagram::Builder to, const gossip::Datagram& datagram) {
  put_cluster(to, datagram.cluster);
  to.setFrom(datagram.from.value());
  to.setIncarnation(datagram.incarnation.value());
  std::visit(DatagramBodyPut{to}, datagram.body);
  if (!datagram.updates.empty()) {
    put_each(pen, to.initUpdates(size_of(datagram.updates)), datagram.updates);
  }
  if (!datagram.digests.empty()) {
    put_each(pen, to.initDigests(size_of(datagram.digests)), datagram.digests);
  }
}

static void get_datagram_body(schema::Datagram::Reader from, gossip::Datagram& datagram,
                              Checks& checks) {
  const gossip::ProbeSeq seq(from.getSeq());
  const base::NodeId target(from.getTarget());
  switch (from.getKind()) {
    case schema::Datagram::Kind::GOSSIP:
      datagram.body = gossip::Gossip();
      return;
    case schema::Datagram::Kind::PING:
      datagram.body = gossip::Ping{.seq = seq, .target = target};
      return;
    case schema::Datagram::Kind::ACK:
      datagram.body = gossip::Ack{.seq = seq};
      return;
    case schema::Datagram::Kind::PING_REQUEST:
      datagram.body =
          gossip::PingRequest{.seq = seq, .target = target, .address = to_text(from.getAddress())};
      return;
    case schema::Datagram::Kind::NACK:
      datagram.body = gossip::Nack{.seq = seq};
      return;
  }
  checks.refuse_unknown("kind of datagram", static_cast<std::uint16_t>(from.getKind()));
}

static void get(schema::Datagram::Reader from, gossip::Datagram& datagram, Checks& checks) {
  datagram.cluster = get_cluster(from);
  datagram.from = base::NodeId(from.getFrom());
  datagram.incarnation = gossip::Incarnation(from.getIncarnation());
  get_datagram_body(from, datagram, checks);
  get_each(from.getUpdates(), datagram.updates, checks);
  get_each(from.getDigests(), datagram.digests, checks);
  checks.expect(gossip::well_formed(datagram), "a malformed datagram");
}

// ---- streams ----

static void put(Pen, schema::Member::Builder to, const gossip::Member& member) {
  to.setId(member.id.value());
  to.setIncarnation(member.incarnation.value());
  to.setState(static_cast<schema::MemberState>(member.state));
  to.setName(text(member.name));
  to.setAddress(text(member.address));
  to.setMeta(blob(member.meta.view()));
}
static void get(schema::Member::Reader from, gossip::Member& member, Checks& checks) {
  member.id = base::NodeId(from.getId());
  member.incarnation = gossip::Incarnation(from.getIncarnation());
  member.state = checks.choice(from.getState(), gossip::MemberState::kLeft, "member state");
  member.name = to_text(from.getName());
  member.address = to_text(from.getAddress());
  member.meta = base::Bytes(to_blob(from.getMeta()));
}

template <class Sync>
static void put_sync(schema::StreamMessage::Sync::Builder to, const Sync& sync) {
  to.setView(sync.view);
  put_each(Pen(), to.initMembers(size_of(sync.members)), sync.members);
}
template <class Sync>
static Sync get_sync(schema::StreamMessage::Sync::Reader from, Checks& checks) {
  Sync sync;
  sync.view = from.getView();
  get_each(from.getMembers(), sync.members, checks);
  return sync;
}

struct StreamBodyPut {
  schema::StreamMessage::Builder to;
  void operator()(const gossip::StreamPing& body) { to.initPing().setTarget(body.target.value()); }
  void operator()(const gossip::StreamAck&) { to.setAck(); }
  void operator()(const gossip::SyncRequest& body) { put_sync(to.initSyncRequest(), body); }
  void operator()(const gossip::SyncReply& body) { put_sync(to.initSyncReply(), body); }
  void operator()(const gossip::SyncRefusal& body) {
    to.setRefusal(static_cast<schema::StreamMessage::Refusal>(body.reason));
  }
};

static void put(Pen, schema::StreamMessage::Builder to, const gossip::StreamMessage& message) {
  put_cluster(to, message.cluster);
  to.setClusterName(text(message.cluster_name));
  to.setFrom(message.from.value());
  std::visit(StreamBodyPut{to}, message.body);
}

static void get_stream_body(schema::StreamMessage::Reader from, gossip::StreamMessage& message,
                            Checks& checks) {
  using Schema = schema::StreamMessage;
  switch (from.which()) {
    case Schema::PING:
      message.body = gossip::StreamPing{.target = base::NodeId(from.getPing().getTarget())};
      return;
    case Schema::ACK:
      message.body = gossip::StreamAck();
      return;
    case Schema::SYNC_REQUEST:
      message.body = get_sync<gossip::SyncRequest>(from.getSyncRequest(), checks);
      return;
    case Schema::SYNC_REPLY:
      message.body = get_sync<gossip::SyncReply>(from.getSyncReply(), checks);
      return;
    case Schema::REFUSAL:
      message.body = gossip::SyncRefusal{
          .reason = checks.choice(from.getRefusal(), gossip::RefusalReason::kMalformed, "refusal")};
      return;
  }
  checks.refuse_unknown("kind of exchange", from.which());
}

static void get(schema::StreamMessage::Reader from, gossip::StreamMessage& message,
                Checks& checks) {
  message.cluster = get_cluster(from);
  message.cluster_name = to_text(from.getClusterName());
  message.from = base::NodeId(from.getFrom());
  get_stream_body(from, message, checks);
  checks.expect(gossip::well_formed(message), "a malformed exchange");
}

std::string encode(const gossip::Datagram& datagram) {
  return encode_root<schema::Datagram>(datagram);
}
std::string encode(const gossip::StreamMessage& message) {
  return encode_root<schema::StreamMessage>(message);
}

base::Result<gossip::Datagram> decode_datagram(std::string_view bytes) {
  return decode_root<schema::Datagram, gossip::Datagram>(bytes);
}
base::Result<gossip::StreamMessage> decode_stream(std::string_view bytes) {
  return decode_root<schema::StreamMessage, gossip::StreamMessage>(bytes);
}

}  // namespace brigade::wire
