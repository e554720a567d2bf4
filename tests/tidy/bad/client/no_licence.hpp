#pragma once  // expect: licence
