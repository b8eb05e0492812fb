//! The errors that the modules of azr-sandbox know.

#[derive(Debug)]
pub(crate) enum Error {
    BadGuest(String),
    Runtime(String),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::BadGuest(why) | Self::Runtime(why)) = self;
        f.write_str(why)
    }
}
