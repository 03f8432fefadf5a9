// Start GraphiQL with the query in the URL, or with an example.
"use strict";

const EXAMPLE = document.getElementById("example").textContent;
const params = new URLSearchParams(location.search);

async function fetcher(payload) {
  const response = await fetch("/api/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept": "application/json" },
    body: JSON.stringify(payload),
  });
  return response.json();
}

// Keep the query in the address, so that it can be shared.
function storeInAddress(query) {
  const address = query.length < 4000 ? `?${new URLSearchParams({ query })}` : "";
  history.replaceState(null, "", location.pathname + address);
}

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultQuery: EXAMPLE,
    query: params.get("query") ?? undefined,
    variables: params.get("variables") ?? undefined,
    onEditQuery: storeInAddress,
    defaultEditorToolsVisibility: false,
    shouldPersistHeaders: false,
  }),
);
