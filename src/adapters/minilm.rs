//! The sentence model that the program brings along, off the threads that wait for others.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use reeve_embedding::MiniLm;

use crate::ports::{Embedder, PortError};

/// all-MiniLM-L6-v2 in this process, unpacked when the first words come: who remembers nothing pays nothing.
#[derive(Default)]
pub struct InProcess(Arc<OnceLock<MiniLm>>);

#[async_trait]
impl Embedder for InProcess {
    fn name(&self) -> String {
        reeve_embedding::NAME.to_owned()
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        let (model, texts) = (Arc::clone(&self.0), texts.to_vec());
        let made = tokio::task::spawn_blocking(move || {
            // Loading can fail, for which `get_or_init` has no room; of two that load at once one is dropped.
            let model = if let Some(model) = model.get() {
                model
            } else {
                let loaded = MiniLm::load()?;
                model.get_or_init(|| loaded)
            };
            Ok::<_, reeve_embedding::EmbeddingError>(model.embed(&texts.iter().map(String::as_str).collect::<Vec<_>>()))
        });
        let broken = |source| PortError::Permanent { service: "the embedding model", source };
        made.await.map_err(|error| broken(Box::new(error)))?.map_err(|error| broken(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn words_of_like_meaning_are_nearer_than_others() {
        let model = InProcess::default();
        let texts =
            ["The supplier delivered late.", "The delivery came days after it was promised.", "Price of a bill too high"];
        let made = model.embed(&texts.map(str::to_owned)).await.unwrap();
        let near = |a: usize, b: usize| made[a].iter().zip(&made[b]).map(|(x, y)| x * y).sum::<f32>();
        assert!(near(0, 1) > near(0, 2), "{} {}", near(0, 1), near(0, 2));
        assert_eq!(model.embed(&[texts[2].to_owned()]).await.unwrap()[0], made[2], "alone as with others");
    }
}
