//! What `reeve doctor` asks about mail: is the server there, is the way to it closed to others, and does it let Reeve sign in. Nothing is sent.

use crate::channels::mail::send::remedy;
use crate::channels::mail::server::{Failure, Step, open};
use crate::config::{Config, MailTls};

/// Whether the server would take what Reeve sends.
pub(super) async fn look(config: &Config) -> anyhow::Result<String> {
    let mail = &config.mail;
    if !mail.is_set() {
        return Ok("not set up (docs/MAIL.md)".to_owned());
    }
    let server = format!("{}:{}", mail.server, mail.port);
    let mut connection = open(mail).await.map_err(|failure| told(&server, &failure))?;
    // It has said all that was asked: whether it hears the farewell makes no difference.
    drop(tokio::time::timeout(mail.timeout, connection.quit()).await);
    let way = match mail.tls {
        MailTls::None => "in the open, on this machine",
        MailTls::Tls | MailTls::Starttls => "encrypted",
    };
    let who = if mail.user.is_empty() { "nobody signs in".to_owned() } else { format!("signed in as {}", mail.user) };
    let people = mail.addresses().len();
    let page = if crate::cards::chat::page(config).is_none() { "; letters have no links: set web.base_url" } else { "" };
    Ok(format!("{server} answers, {way}, {who}; {people} people have an address; nothing was sent{page}"))
}

fn told(server: &str, failure: &Failure) -> anyhow::Error {
    let what = |step: Step| match step {
        Step::Connect => "can not be reached",
        Step::Encrypt => "can not be spoken to without others listening",
        Step::SignIn => "does not let Reeve sign in",
        Step::Sender | Step::Recipient | Step::Data | Step::Letter => "does not take mail",
    };
    match failure {
        Failure::Refused { step, .. } | Failure::Lost { step, .. } => {
            anyhow::anyhow!("{server} {} ({failure}): {}", what(*step), remedy(*step))
        }
        Failure::Unusable(why) => anyhow::anyhow!("{why}"),
    }
}

#[cfg(test)]
mod tests {
    use reeve_testing::smtp::{Fault, Smtp, Verb};

    use super::*;

    fn config(smtp: &Smtp, change: &[(&str, &str)]) -> Config {
        let port = smtp.port.to_string();
        let all = [
            ("SERVER", "127.0.0.1"),
            ("PORT", port.as_str()),
            ("TLS", "none"),
            ("FROM", "Reeve <reeve@example.com>"),
            ("PEOPLE", "pia=pia@example.com"),
            ("TIMEOUT", "2s"),
        ];
        let mut set: Vec<(String, String)> = Vec::new();
        for (key, value) in all.iter().chain(change) {
            let name = format!("REEVE_MAIL__{key}");
            set.retain(|(known, _)| *known != name);
            set.push((name, (*value).to_owned()));
        }
        Config::load_from(None, &set).unwrap()
    }

    #[tokio::test]
    async fn what_holds_is_said_and_what_does_not_with_what_to_do() {
        let smtp = Smtp::start().await;
        let said = look(&config(&smtp, &[])).await.unwrap();
        assert!(said.contains("answers") && said.contains("nobody signs in") && said.contains("nothing was sent"), "{said}");
        smtp.ask_for("reeve", "s3cr3t");
        let signed_in = [("USER", "reeve"), ("PASSWORD", "s3cr3t")];
        assert!(look(&config(&smtp, &signed_in)).await.unwrap().contains("signed in as reeve"));
        let wrong = look(&config(&smtp, &[("USER", "reeve"), ("PASSWORD", "0ld")])).await.unwrap_err().to_string();
        assert!(wrong.contains("535") && wrong.contains("mail.password") && !wrong.contains("0ld"), "{wrong}");
        let open = look(&config(&smtp, &[("TLS", "starttls")])).await.unwrap_err().to_string();
        assert!(open.contains("STARTTLS") && open.contains("mail.tls"), "{open}");
        smtp.fail(Verb::Connect, Fault::Says("554 no service for you"));
        let refused = look(&config(&smtp, &[])).await.unwrap_err().to_string();
        assert!(refused.contains("554") && refused.contains("mail.server"), "{refused}");
        smtp.fail(Verb::Connect, Fault::Drop);
        assert!(look(&config(&smtp, &[])).await.unwrap_err().to_string().contains("can not be reached"));
        assert!(smtp.arrived().is_empty());
        let port = smtp.port.to_string();
        drop(smtp);
        let gone = look(&Config::load_from(None, &gone(&port)).unwrap()).await.unwrap_err().to_string();
        assert!(gone.contains("mail.port"), "{gone}");
        assert_eq!(look(&Config::load_from(None, &[]).unwrap()).await.unwrap(), "not set up (docs/MAIL.md)");
    }

    fn gone(port: &str) -> Vec<(String, String)> {
        let all =
            [("SERVER", "127.0.0.1"), ("PORT", port), ("TLS", "none"), ("FROM", "reeve@example.com"), ("TIMEOUT", "2s")];
        all.map(|(key, value)| (format!("REEVE_MAIL__{key}"), value.to_owned())).to_vec()
    }
}
