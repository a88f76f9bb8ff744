//! A real browser for the tests of the page: Chromium without a window, driven through chromedriver.
//!
//! Driver and browser are this test's own: a free port, an empty profile, and no calls home. Both end with the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;

use super::variable;

/// How long the driver has to end its browser before it is killed: ten times what it was seen to need.
const SHUTDOWN_MAX: Duration = Duration::from_secs(10);

/// A browser with one empty page. Dropping it ends browser and driver, whatever became of the test.
pub(crate) struct Browser {
    /// Goes to pages, finds elements, clicks.
    pub(crate) client: Client,
    driver: Driver,
    profile: TempDir,
}

impl Browser {
    /// Starts one, or says why not and returns `None` where chromedriver is not installed. Under CI that is a failure.
    pub(crate) async fn start() -> Option<Self> {
        let driver = match Driver::start() {
            Ok(driver) => driver,
            Err(error) => {
                let reason = format!("no browser: chromedriver does not start ({error}); scripts/test installs it");
                assert!(variable("CI").is_none(), "{reason}");
                say(&reason);
                return None;
            }
        };
        let profile = tempfile::tempdir().expect("a temporary folder can be made");
        let capabilities = json!({ "goog:chromeOptions": { "args": [
            "--headless",
            "--no-sandbox", // tests may run as root, where Chromium's sandbox can not
            "--disable-gpu",
            "--disable-dev-shm-usage", // containers have 64 MB there
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--no-proxy-server", // everything the tests look at is on loopback
            "--window-size=1280,900",
            format!("--user-data-dir={}", profile.path().display()),
        ] } });
        let capabilities = capabilities.as_object().expect("it is written as an object").clone();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", driver.port))
            .await
            .unwrap_or_else(|error| {
                panic!("chromedriver runs but gives no session; is a Chromium of its version installed? {error}")
            });
        Some(Self { client, driver, profile })
    }
}

/// A chromedriver of this test's own.
struct Driver {
    process: Child,
    port: u16,
    /// Kept open: the driver would end when it writes into a closed pipe.
    _output: BufReader<ChildStdout>,
}

impl Driver {
    #[expect(clippy::disallowed_methods, reason = "the browser is a program; Reeve itself starts none")]
    fn start() -> std::io::Result<Self> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut output = BufReader::new(process.stdout.take().expect("it was asked for as a pipe"));
        let mut said = String::new();
        let port = loop {
            // The last line before it waits: "ChromeDriver was started successfully on port 37121."
            if output.read_line(&mut said)? == 0 {
                process.wait()?;
                return Err(std::io::Error::other(format!("it said no port, but: {said}")));
            }
            if let Some(port) = port_in(&said) {
                break port;
            }
        };
        Ok(Self { process, port, _output: output })
    }

    /// Asks it to end, which ends its browser; killing it would leave the browser behind.
    fn shut_down(&mut self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(SHUTDOWN_MAX))?;
        stream.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        // It may close the connection before, while or after it answers; what matters is that it ends.
        let _answer = stream.read(&mut [0; 512]);
        let asked = Instant::now();
        while asked.elapsed() < SHUTDOWN_MAX {
            if self.process.try_wait()?.is_some() {
                return Ok(());
            }
            // A child can not be waited for with a limit, so it is looked at now and then.
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(std::io::Error::other("chromedriver did not end"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Err(error) = self.shut_down() {
            say(&format!("killing chromedriver: {error}"));
            // Nothing is left to do if this fails: it has ended meanwhile.
            let _ended = self.process.kill();
            let _ended = self.process.wait();
        }
    }
}

fn port_in(said: &str) -> Option<u16> {
    let (_, rest) = said.split_once("started successfully on port ")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[expect(clippy::print_stderr, reason = "a person reads why a test did less than it could")]
fn say(text: &str) {
    eprintln!("{text}");
}

#[tokio::test]
async fn a_browser_shows_a_page() {
    let Some(browser) = Browser::start().await else { return };
    browser.client.goto("data:text/html,<title>Reeve</title><p id=a>7 cases").await.unwrap();
    assert_eq!(browser.client.title().await.unwrap(), "Reeve");
    let text = browser.client.find(fantoccini::Locator::Css("#a")).await.unwrap().text().await.unwrap();
    assert_eq!(text, "7 cases");
    let (port, profile) = (browser.driver.port, browser.profile.path().to_owned());
    drop(browser);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "chromedriver still listens on port {port}");
    assert!(!profile.exists(), "the profile {} is still there", profile.display());
}

#[test]
fn the_port_is_read_from_what_the_driver_says() {
    assert_eq!(port_in("ChromeDriver was started successfully on port 37121.\n"), Some(37121));
    assert_eq!(port_in("Starting ChromeDriver 140.0 on port 0"), None);
    assert_eq!(port_in("ChromeDriver was started successfully on port "), None);
}
