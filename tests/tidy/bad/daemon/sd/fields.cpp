// SPDX-License-Identifier: MIT
const char* known = "CORUND_KNOWN";
const char* unknown = "CORUND_UNKNOWN";  // expect: field
