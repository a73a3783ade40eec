#pragma once

namespace stanzagate::proxy {

// A core dump holds the private keys and whatever clients have just said, passwords among it, and
// ends up in a file or on a crash server. So, before the first key is read: no dumps of this
// process, and no other process of the same user may look into its memory (prctl(2),
// PR_SET_DUMPABLE).
void forbid_core_dumps();

}  // namespace stanzagate::proxy
