// SPDX-License-Identifier: MIT
// A packet in a comment, and "fiber" in a literal, are only words.
struct PacketQueue {};  // expect: word
int recv_packet();  // expect: word
void resume(Fiber& f);  // expect: word
const char* text = "fiber";
