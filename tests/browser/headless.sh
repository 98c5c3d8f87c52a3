#!/bin/sh
# The browser of the tests: Chromium's pages without the window around them, which costs as much as they do. chromedriver wants a first page.
exec chromium-headless-shell "$@" data:,
