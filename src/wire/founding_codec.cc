#include "wire/founding_codec.h"

#include <variant>

#include "schema/gossip.capnp.h"
#include "wire/common_fields.h"

namespace brigade::wire {

// Not in an unnamed namespace, because there the templates of envelope.h would not find these.

static void put(Pen, schema::Ballot::Builder to, const gossip::Ballot& ballot) {
  to.setRound(ballot.round);
  to.setProposer(ballot.proposer.value());
}
static void get(schema::Ballot::Reader from, gossip::Ballot& ballot, Checks&) {
  ballot = {.round = from.getRound(), .proposer = base::NodeId(from.getProposer())};
}

static void put(Pen, schema::Founder::Builder to, const gossip::Founder& founder) {
  to.setId(founder.id.value());
  to.setName(text(founder.name));
  to.setAddress(text(founder.address));
}
static void get(schema::Founder::Reader from, gossip::Founder& founder, Checks&) {
  founder = {.id = base::NodeId(from.getId()),
             .name = to_text(from.getName()),
             .address = to_text(from.getAddress())};
}

static void put(Pen pen, schema::Charter::Builder to, const gossip::Charter& charter) {
  put_cluster(to, charter.cluster);
  to.setClusterName(text(charter.cluster_name));
  put_each(pen, to.initFounders(size_of(charter.founders)), charter.founders);
  to.setSettings(blob(charter.settings.view()));
}
static void get(schema::Charter::Reader from, gossip::Charter& charter, Checks& checks) {
  charter.cluster = get_cluster(from);
  charter.cluster_name = to_text(from.getClusterName());
  get_each(from.getFounders(), charter.founders, checks);
  charter.settings = base::Bytes(to_blob(from.getSettings()));
}

static void put(Pen pen, schema::Vote::Builder to, const gossip::Vote& vote) {
  put(pen, to.initBallot(), vote.ballot);
  put(pen, to.initCharter(), vote.charter);
}
static void get(schema::Vote::Reader from, gossip::Vote& vote, Checks& checks) {
  get(from.getBallot(), vote.ballot, checks);
  get(from.getCharter(), vote.charter, checks);
}

struct FoundingBodyPut {
  Pen pen;
  schema::FoundingMessage::Builder to;
  void operator()(const gossip::WhoAreYou&) { to.setWhoAreYou(); }
  void operator()(const gossip::IAm& body) {
    auto out = to.initIAm();
    out.setStage(static_cast<schema::FoundingMessage::Stage>(body.stage));
    put_cluster(out, body.cluster);
    if (body.charter) {
      put(pen, out.initCharter(), *body.charter);
    }
  }
  void operator()(const gossip::Prepare& body) { put(pen, to.initPrepare(), body.ballot); }
  void operator()(const gossip::Promise& body) {
    auto out = to.initPromise();
    put(pen, out.initBallot(), body.ballot);
    if (body.accepted) {
      put(pen, out.initAccepted(), *body.accepted);
    }
  }
  void operator()(const gossip::Accept& body) { put(pen, to.initAccept(), body.vote); }
  void operator()(const gossip::Accepted& body) { put(pen, to.initAccepted(), body.ballot); }
  void operator()(const gossip::Outbid& body) { put(pen, to.initOutbid(), body.promised); }
  void operator()(const gossip::FoundingRefusal& body) {
    to.setRefusal(static_cast<schema::FoundingMessage::Obstacle>(body.reason));
  }
};

static void put(Pen pen, schema::FoundingMessage::Builder to,
                const gossip::FoundingMessage& message) {
  put(pen, to.initFrom(), message.from);
  to.setClusterName(text(message.cluster_name));
  std::visit(FoundingBodyPut{pen, to}, message.body);
}

static gossip::IAm get_i_am(schema::FoundingMessage::IAm::Reader from, Checks& checks) {
  gossip::IAm body;
  body.stage = checks.choice(from.getStage(), gossip::FoundingStage::kInitialised, "stage");
  body.cluster = get_cluster(from);
  if (from.hasCharter()) {
    get(from.getCharter(), body.charter.emplace(), checks);
  }
  return body;
}

static gossip::Promise get_promise(schema::FoundingMessage::Promise::Reader from, Checks& checks) {
  gossip::Promise body;
  get(from.getBallot(), body.ballot, checks);
  if (from.hasAccepted()) {
    get(from.getAccepted(), body.accepted.emplace(), checks);
  }
  return body;
}

static void get_founding_body(schema::FoundingMessage::Reader from,
                              gossip::FoundingMessage& message, Checks& checks) {
  using Schema = schema::FoundingMessage;
  auto& body = message.body;
  switch (from.which()) {
    case Schema::WHO_ARE_YOU:
      body = gossip::WhoAreYou();
      return;
    case Schema::I_AM:
      body = get_i_am(from.getIAm(), checks);
      return;
    case Schema::PREPARE:
      return get(from.getPrepare(), body.emplace<gossip::Prepare>().ballot, checks);
    case Schema::PROMISE:
      body = get_promise(from.getPromise(), checks);
      return;
    case Schema::ACCEPT:
      return get(from.getAccept(), body.emplace<gossip::Accept>().vote, checks);
    case Schema::ACCEPTED:
      return get(from.getAccepted(), body.emplace<gossip::Accepted>().ballot, checks);
    case Schema::OUTBID:
      return get(from.getOutbid(), body.emplace<gossip::Outbid>().promised, checks);
    case Schema::REFUSAL:
      body = gossip::FoundingRefusal{
          .reason = checks.choice(from.getRefusal(), gossip::FoundingObstacle::kVotedElsewhere,
                                  "obstacle")};
      return;
  }
  checks.refuse_unknown("kind of founding message", from.which());
}

static void get(schema::FoundingMessage::Reader from, gossip::FoundingMessage& message,
                Checks& checks) {
  get(from.getFrom(), message.from, checks);
  message.cluster_name = to_text(from.getClusterName());
  get_founding_body(from, message, checks);
}
std::string encode(const gossip::FoundingMessage& message) {
  return encode_root<schema::FoundingMessage>(message);
}

std::string encode(const gossip::Charter& charter) {
  return encode_root<schema::Charter>(charter);
}

std::string encode(const gossip::Vote& vote) {
  return encode_root<schema::Vote>(vote);
}

std::string encode(const gossip::Ballot& ballot) {
  return encode_root<schema::Ballot>(ballot);
}

base::Result<gossip::FoundingMessage> decode_founding(std::string_view bytes) {
  return decode_root<schema::FoundingMessage, gossip::FoundingMessage>(bytes);
}

base::Result<gossip::Charter> decode_charter(std::string_view bytes) {
  return decode_root<schema::Charter, gossip::Charter>(bytes);
}

base::Result<gossip::Vote> decode_vote(std::string_view bytes) {
  return decode_root<schema::Vote, gossip::Vote>(bytes);
}
base::Result<gossip::Ballot> decode_ballot(std::string_view bytes) {
  return decode_root<schema::Ballot, gossip::Ballot>(bytes);
}

}  // namespace brigade::wire
