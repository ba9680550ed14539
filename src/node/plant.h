// Bugs that a test can plant, one at a time, to see that the checkers notice. Never set outside
// tests: each removes one rule of semantics 3 to 6.
#pragma once

#include <cstdint>

namespace brigade::node {

enum class Plant : std::uint8_t {
  kNone,
  kTakeoverReclaims,      // a new leader does not wait for the sessions that it found
  kRenewAfterReclaim,     // a renewal is answered although its account's Reclaim is proposed
  kGrantAddedTwice,       // granted tokens are added again with every later epoch
  kAckWithoutAdopting,    // a shrink is acknowledged and not followed
  kReclaimEarly,          // reclaims before the session's time can be over
  kLateAnswerRevives,     // a renewal answered after valid_until brings the session back for tau
  kValidFromReceipt,      // valid_until is dated from the receipt of the answer, not from its send
  kGrowBeforeAck,         // a shrink frees its right when it commits, not when it is acknowledged
  kLendWithoutTaking,     // the lender answers without deducting
  kCreditClosed,          // a loan is credited after its sequence was closed
  kReclaimGivesTokens,    // a reclaim returns the size of the share as tokens
  kReclaimKept,           // a reclaim frees what must be kept
  kStaleHandover,         // a handover counts although other entries follow it
  kResumeUncancelled,     // the old leader goes on before its CancelHandover is applied
  kTakeoverFull,          // a new leader takes keys for full that it knows nothing of
  kLetGoAndSpent,         // a key goes on being spent at home beside its own ledger
  kHomeFromReceipt,       // home authority is dated from a round's confirmation, not from its start
  kRefundTwice,           // a settlement that is repeated refunds again
  kRefundUncapped,        // minting does not eat into what is refundable
  kRefundUsed,            // a settlement refunds what was used as well
  kQuantumNotDeducted,    // a quantum stays in the key's bucket as well
  kQuantumFromReceipt,    // a quantum's end is dated from the answer's receipt, not the ask's send
  kQuantumUncut,          // a bucket mints up to its size although quanta of it are out
  kTillNameKept,          // a till whose hold is over asks again under the same name
  kQuantumReturnedTwice,  // a closed loan stays, and its rest comes back with every message
  kHandoverAroundQuanta,  // a Handover is proposed while quanta are out
  kSpendBeforeLogged,   // a slow key is spent while what pays for it is only on its way to the log
  kCreditUncut,         // what was logged ahead stays beside a bucket that has filled up again
  kSlowFromFull,        // a limit that becomes slow starts its keys full
  kSpentWhileChanging,  // keys are spent while a change of their limit is on its way to the log
  kSlowForgotten,       // a new leader starts slow keys empty, like others
  kCreditsKept,         // what a handover gives back is spent all the same
  kPartsStillOut,  // a limit that became one of few tokens is spent while nodes have parts of it
  kShrinkKeepsTokens,  // a bucket that shrinks keeps tokens in room that is kept from a class
  kGrowFromTheTop,     // a grow takes all tokens of a pool where a part of them is kept
  kBorrowAboveKept,    // a class borrows more of what is kept from others than is kept here
};

}  // namespace brigade::node
