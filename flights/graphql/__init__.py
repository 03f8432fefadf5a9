"""GraphQL over the same tables and with the same queries as the rest of the API: `/api/graphql`."""
