#include "app/cluster/membership.h"

#include <optional>
#include <utility>
#include <variant>

#include <spdlog/spdlog.h>

#include "base/hex.h"
#include "wire/gossip_codec.h"
#include "wire/publish_codec.h"

namespace brigade::app {
namespace {

bool is_live(gossip::MemberState state) {
  return state == gossip::MemberState::kAlive || state == gossip::MemberState::kSuspect;
}

}  // namespace

const char* to_text(gossip::MemberState state) {
  switch (state) {
    case gossip::MemberState::kAlive:
      return "alive";
    case gossip::MemberState::kSuspect:
      return "suspect";
    case gossip::MemberState::kDead:
      return "dead";
    case gossip::MemberState::kLeft:
      return "left";
  }
  return "dead";
}

Membership::Membership(Outside outside, gossip::Identity self, base::Prng dice)
    : outside_(std::move(outside)),
      core_(gossip::Config(), std::move(self), dice, outside_.clock.now().slow) {}

void Membership::step(const gossip::Input& input) {
  core_.step(input, outside_.clock.now().slow, actions_);

  for (const gossip::Action& action : actions_) {
    perform(action);
  }
  actions_.clear();
  outside_.touch();
}

void Membership::join(std::vector<std::string> seeds) {
  step(gossip::Join{std::move(seeds)});
}

void Membership::received(const std::string& from, gossip::Datagram datagram) {
  step(gossip::DatagramReceived{.from = from, .datagram = std::move(datagram)});
}

void Membership::requested(gossip::StreamMessage message, net::Answer answer) {
  answer_ = std::move(answer);
  step(gossip::StreamRequested{.token = gossip::RequestToken(1), .message = std::move(message)});
  answer_ = nullptr;
}

void Membership::publish(const node::NodeDigest& digest) {
  step(gossip::SetDigest{wire::encode(digest)});
}

void Membership::removed(base::NodeId member) {
  step(gossip::Remove{member});
}

void Membership::leave() {
  step(gossip::Leave{});
}

void Membership::wake() {
  if (outside_.clock.now().slow >= core_.next_deadline()) {
    step(gossip::Timeout{});
  }
}

void Membership::ask(const gossip::SendStream& send) {
  outside_.peers.ask(
      send.address, send.message, gossip::Config().stream_timeout,
      [this, alive = std::weak_ptr<int>(alive_),
       exchange = send.exchange](std::optional<gossip::StreamMessage> answer) {
        if (alive.expired()) {
          return;
        }
        if (answer) {
          step(gossip::StreamAnswered{.exchange = exchange, .message = std::move(*answer)});
        } else {
          step(gossip::StreamFailed{exchange});
        }
      });
}

void Membership::changed(const gossip::Member& member) {
  const bool live = is_live(member.state);
  node::PeerView view{.id = member.id,
                      .name = member.name,
                      .state = to_text(member.state),
                      .addresses = {.peer = member.address, .redis = {}, .http = {}, .envoy = {}},
                      .home = {},
                      .live = live};
  if (auto meta = wire::decode_meta(member.meta.view())) {
    view.addresses.redis = std::move(meta->redis);
    view.addresses.http = std::move(meta->http);
    view.addresses.envoy = std::move(meta->envoy);
    view.home = {.region = std::move(meta->region), .zone = std::move(meta->zone)};
  }
  // The dead stay known: whoever is only unreachable by UDP is dead to gossip, not to Raft.
  if (member.state == gossip::MemberState::kLeft) {
    outside_.peers.forget(member.id);
  } else {
    outside_.peers.know(member.id, member.address);
  }
  outside_.node.seen(view, outside_.clock.now());
}

void Membership::heard(base::NodeId from) {
  const auto view = core_.digest(from);
  if (!view || from == core_.self().id) {
    return;
  }
  if (const auto digest = wire::decode_digest(view->content.view())) {
    outside_.node.heard(from, *digest, outside_.clock.now());
  }
}

void Membership::on(const gossip::Conflict& conflict) {
  const base::NodeId self = core_.self().id;
  if (conflict.holder == self || conflict.other == self) {
    outside_.refused("the name " + core_.self().name +
                     " is taken by another live member: choose another --name");
    return;
  }
  spdlog::error("two live members, {} and {}, have the same name: restart one of them with another",
                base::text(conflict.holder), base::text(conflict.other));
}

void Membership::on(const gossip::JoinRefused& refusal) {
  if (refusal.reason == gossip::RefusalReason::kNameTaken) {
    outside_.refused("the name " + core_.self().name + " is taken by another live member (says " +
                     refusal.address + "): choose another --name");
  } else {
    spdlog::warn("{} refuses to synchronise: it belongs to another cluster, or to none yet",
                 refusal.address);
  }
}

void Membership::perform(const gossip::Action& action) {
  if (const auto* send = std::get_if<gossip::SendDatagram>(&action)) {
    outside_.peers.send(send->address, send->datagram);
  } else if (const auto* stream = std::get_if<gossip::SendStream>(&action)) {
    ask(*stream);
  } else if (const auto* answer = std::get_if<gossip::AnswerStream>(&action)) {
    if (answer_) {
      std::exchange(answer_, nullptr)(wire::encode(answer->message));
    }
  } else if (const auto* change = std::get_if<gossip::MemberChanged>(&action)) {
    if (!change->before || *change->before != change->member.state) {
      const bool gone = change->member.state == gossip::MemberState::kLeft;
      spdlog::info("member {} {} {}", change->member.name, gone ? "has" : "is",
                   to_text(change->member.state));
    }
    changed(change->member);
  } else if (const auto* forgotten = std::get_if<gossip::MemberForgotten>(&action)) {
    outside_.peers.forget(forgotten->id);
    outside_.node.forgotten(forgotten->id);
  } else if (const auto* digest = std::get_if<gossip::DigestChanged>(&action)) {
    heard(digest->id);
  } else if (const auto* conflict = std::get_if<gossip::Conflict>(&action)) {
    on(*conflict);
  } else if (const auto* refused = std::get_if<gossip::JoinRefused>(&action)) {
    on(*refused);
  } else if (std::holds_alternative<gossip::LeaveDone>(action)) {
    left_ = true;
  } else if (const auto* note = std::get_if<base::Note>(&action)) {
    spdlog::debug("gossip: {} {} {} {}", note->event, note->a, note->b, note->c);
  }
}

}  // namespace brigade::app
