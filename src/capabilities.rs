//! What this implementation offers, in the terms that all implementations share.

/// The version of this package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

macro_rules! capabilities {
    ($language:literal) => {
        concat!(
            r#"{"spec_version":"0.1","package_version":""#,
            env!("CARGO_PKG_VERSION"),
            r#"","language":""#,
            $language,
            r#"","operations":["ephemeral","create_or_attach","attach","list","destroy","destroy_by_name","refresh_credentials","repair","reap"],"platforms":["darwin","linux"]}"#
        )
    };
}
pub(crate) use capabilities;

/// Capabilities as JSON: `spec_version`, `package_version`, `language`, `operations`, `platforms`.
pub const CAPABILITIES_JSON: &str = capabilities!("rust");
