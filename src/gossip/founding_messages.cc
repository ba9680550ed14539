#include "gossip/founding_messages.h"

#include <algorithm>

namespace brigade::gossip {
namespace {

bool valid(const Founder& founder) {
  return founder.id && !founder.name.empty() && founder.name.size() <= kNameMax &&
         !founder.address.empty() && founder.address.size() <= kAddressMax;
}

bool valid(const Ballot& ballot) {
  return ballot.round > 0 && ballot.proposer;
}

struct BodyCheck {
  bool operator()(const WhoAreYou&) const { return true; }
  bool operator()(const IAm& m) const {
    return (m.stage == FoundingStage::kInitialised) == (m.cluster != ClusterId()) &&
           (!m.charter || (m.charter->cluster == m.cluster && well_formed(*m.charter)));
  }
  bool operator()(const Prepare& m) const { return valid(m.ballot); }
  bool operator()(const Promise& m) const {
    return valid(m.ballot) &&
           (!m.accepted || (valid(m.accepted->ballot) && well_formed(m.accepted->charter)));
  }
  bool operator()(const Accept& m) const {
    return valid(m.vote.ballot) && well_formed(m.vote.charter);
  }
  bool operator()(const Accepted& m) const { return valid(m.ballot); }
  bool operator()(const Outbid& m) const { return valid(m.promised); }
  bool operator()(const FoundingRefusal&) const { return true; }
};

}  // namespace

bool well_formed(const Charter& charter) {
  return charter.cluster != ClusterId() && charter.cluster_name.size() <= kNameMax &&
         charter.settings.size() <= kSettingsMax && !charter.founders.empty() &&
         charter.founders.size() <= kFoundersMax &&
         std::all_of(charter.founders.begin(), charter.founders.end(),
                     [](const Founder& one) { return valid(one); }) &&
         std::adjacent_find(charter.founders.begin(), charter.founders.end(),
                            [](const Founder& a, const Founder& b) { return a.id >= b.id; }) ==
             charter.founders.end();
}

bool well_formed(const FoundingMessage& message) {
  return valid(message.from) && message.cluster_name.size() <= kNameMax &&
         std::visit(BodyCheck{}, message.body);
}

}  // namespace brigade::gossip
