//! What goes between an installation and its issuer: docs/format.md, sections 6 and 9.
