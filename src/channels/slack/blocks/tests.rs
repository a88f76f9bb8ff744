//! Cards as Slack gets them.
