// Start GraphiQL with the query and variables in the URL, or with an example.
"use strict";

const EXAMPLE = document.getElementById("example").textContent;
const LONGEST = 6000; // characters of an address that servers and browsers accept
const params = new URLSearchParams(location.search);

async function fetcher(payload) {
  const response = await fetch("/api/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept": "application/json" },
    body: JSON.stringify(payload),
  });
  return response.json();
}

// Keep the edited text in the address, so that it can be shared.
function storeInAddress(name, text) {
  params.set(name, text);
  if (!text.trim()) params.delete(name);
  const address = `?${params}`.length < LONGEST ? `?${params}` : "";
  history.replaceState(null, "", location.pathname + address);
}

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultQuery: EXAMPLE,
    query: params.get("query") ?? undefined,
    variables: params.get("variables") ?? undefined,
    onEditQuery: (text) => storeInAddress("query", text),
    onEditVariables: (text) => storeInAddress("variables", text),
    defaultEditorToolsVisibility: false,
    shouldPersistHeaders: false,
  }),
);
