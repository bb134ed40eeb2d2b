"""The center's pages: studies, sites, releases, drafts and reports, behind a login with roles."""
