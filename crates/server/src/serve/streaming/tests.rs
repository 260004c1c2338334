use http_body_util::BodyExt as _;

use super::*;

struct Given(Vec<Vec<Chunk>>);

impl Chunks for Given {
    fn poll_chunks(&mut self, _: &mut Context<'_>) -> Poll<Option<Vec<Chunk>>> {
        Poll::Ready((!self.0.is_empty()).then(|| self.0.remove(0)))
    }
}

fn chunk(data: &str) -> Chunk {
    Chunk::new(0, |out| out.extend_from_slice(data.as_bytes()))
}

#[test]
fn a_chunk_has_its_size_before_and_an_end_behind() {
    assert_eq!(&chunk("a")[..], b"1\r\na\r\n");
    assert_eq!(&chunk("\n\r\n")[..], b"3\r\n\n\r\n\r\n");
    let long = chunk(&"x".repeat(70_000));
    assert_eq!(&long[..7], b"11170\r\n");
    assert_eq!(long.framed().len(), 7 + 70_000 + 2);
}

#[test]
fn the_data_of_a_chunk_is_what_was_put_in() {
    for data in ["a", "\n", "\r\n", "10\r\n", &"x".repeat(70_000)] {
        let chunk = chunk(data);
        assert_eq!(chunk.data(), data.as_bytes());
        assert_eq!(Chunk::from_framed(chunk.framed().clone()), chunk);
    }
}

#[tokio::test]
async fn the_body_has_the_data_of_all_chunks() {
    let source = Given(vec![vec![chunk("a")], vec![chunk("b"), chunk("c\n")]]);
    let body = answer(source).into_body().collect().await;
    assert_eq!(body.expect("body").to_bytes(), "abc\n");
}

#[tokio::test]
async fn the_body_is_empty_once_the_source_was_taken() {
    let mut response = answer(Given(vec![vec![chunk("a")]]));
    let streamed = response.extensions_mut().remove::<Streamed>();
    assert!(streamed.expect("the extension").take().is_some());
    let body = response.into_body().collect().await;
    assert!(body.expect("body").to_bytes().is_empty());
}

impl std::ops::Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
