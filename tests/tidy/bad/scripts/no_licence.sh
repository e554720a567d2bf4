#!/bin/sh  # expect: licence
true
