//! JSON paths as people read them: `$.product[0].apps[1].name`.

/// `base` and a key.
pub fn key(base: &str, name: &str) -> String {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if plain && !name.is_empty() { format!("{base}.{name}") } else { format!("{base}[\"{name}\"]") }
}

/// `base` and an index.
pub fn index(base: &str, n: usize) -> String {
    format!("{base}[{n}]")
}

/// `base` and a JSON pointer. A segment of digits is an index.
pub fn pointer(base: &str, pointer: &str) -> String {
    let segments = pointer.split('/').skip(1);
    segments.fold(base.to_owned(), |path, segment| match segment.parse() {
        Ok(n) => index(&path, n),
        Err(_) => key(&path, &segment.replace("~1", "/").replace("~0", "~")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_become_paths() {
        assert_eq!(pointer("$", "/product/0/apps/12/a~1b"), "$.product[0].apps[12][\"a/b\"]");
        assert_eq!(pointer("$", ""), "$");
    }
}
