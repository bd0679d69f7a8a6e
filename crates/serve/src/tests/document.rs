use super::world::World;

#[tokio::test]
async fn the_document_describes_every_route() {
    let world = World::new().await;
    let (_, document) = world.get("nobody", "/openapi.json").await;
    insta::assert_json_snapshot!(document);
}

#[tokio::test]
async fn answers_are_counted_by_route_and_class_and_kept_by_no_cache() {
    let world = World::new().await;
    let response = world
        .send(super::world::get("admin", "/v1/cases/c_1"))
        .await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let counted = |route: &str, class: &str| {
        let requests = &world.service.api.metrics.requests;
        requests.with_label_values(&[route, class]).get()
    };
    assert_eq!(counted("/v1/cases/{id}", "4xx"), 1);
    assert_eq!(counted("/v1/cases/{id}", "2xx"), 0);
}
