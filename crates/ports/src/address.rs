//! Addresses: what of one may be shown (a secret can stand anywhere in it: before the host, in its path, behind a question
//! mark), and whether it is this machine's own.

use std::net::IpAddr;

use reeve_domain::words;

/// Scheme, host and port of an address; that there is more of it is said by `…`. What is no address is not shown at all.
///
/// ```text
/// shown_address("https://ada:s3cret@hooks.example:8443/T0/B0/s3cret?key=s3cret") = "https://hooks.example:8443/…"
/// ```
pub fn shown_address(address: &str) -> String {
    let address = address.trim();
    if address.is_empty() {
        return String::new();
    }
    let Some((scheme, rest)) = address.split_once("://") else { return "…".to_owned() };
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let (authority, more) = rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // Where a password holds a slash, what looks like the host is a part of it.
    if !is_scheme || host.is_empty() || (more.contains('@') && !authority.contains('@')) {
        return "…".to_owned();
    }
    let more = if matches!(more, "" | "/") { "" } else { "/…" };
    format!("{scheme}://{}{more}", words::plain(host))
}

/// The host of `host` or `host:port`, without the brackets of an IPv6 address.
pub fn bare_host(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) => {
            name
        }
        _ => host,
    };
    name.trim_start_matches('[').trim_end_matches(']')
}

/// Is `host`, with or without a port, this machine's own address?
pub fn is_loopback(host: &str) -> bool {
    let name = bare_host(host);
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_names_are_loopback() {
        for host in ["127.0.0.1", "127.0.0.1:8087", "localhost", "LocalHost:80", "[::1]", "[::1]:8087", "::1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example:8087", "10.0.0.1:80", "0.0.0.0:80", "[::]:80", ""] {
            assert!(!is_loopback(host), "{host}");
        }
        assert_eq!(["[::]:80", "10.0.0.1:80", "a.example"].map(bare_host), ["::", "10.0.0.1", "a.example"]);
    }

    const SECRET: &str = "s3cr3t";

    #[test]
    fn an_address_is_shown_without_what_could_be_a_secret() {
        for (address, shown) in [
            ("https://hooks.example/", "https://hooks.example"),
            ("http://127.0.0.1:5678", "http://127.0.0.1:5678"),
            ("https://ada:s3cr3t@hooks.example:8443/T0/s3cr3t?key=s3cr3t#s3cr3t", "https://hooks.example:8443/…"),
            ("https://hooks.example?key=s3cr3t", "https://hooks.example/…"),
            ("https://hooks.example#s3cr3t", "https://hooks.example/…"),
            ("https://s3cr3t@hooks.example", "https://hooks.example"),
            ("http://[::1]:80/v1", "http://[::1]:80/…"),
            ("https://ada:pass/s3cr3t@hooks.example/x", "…"),
            ("hooks.example/s3cr3t", "…"),
            ("s3cr3t", "…"),
            ("https:///s3cr3t", "…"),
            ("", ""),
        ] {
            assert_eq!(shown_address(address), shown, "{address}");
            assert!(!shown_address(address).contains(SECRET));
        }
    }
}
