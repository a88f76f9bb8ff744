//! Calls that the double has not. Each is answered with its name, so that a test says which one it lacks.

/// Methods of a server that are refused. They are written as `async_trait` would write them: it does not look into macros.
macro_rules! refused {
    ($($name:ident: $request:ident -> $response:ident),* $(,)?) => {
        $(
            fn $name<'me, 'async_trait>(
                &'me self,
                _request: tonic::Request<qdrant_client::qdrant::$request>,
            ) -> std::pin::Pin<
                Box<
                    dyn Future<Output = Result<tonic::Response<qdrant_client::qdrant::$response>, tonic::Status>>
                        + Send
                        + 'async_trait,
                >,
            >
            where
                'me: 'async_trait,
                Self: 'async_trait,
            {
                Box::pin(std::future::ready(Err(tonic::Status::unimplemented(concat!("the double has no ", stringify!($name))))))
            }
        )*
    };
}

pub(super) use refused;
